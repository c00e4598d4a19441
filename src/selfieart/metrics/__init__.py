"""How good a result is, in numbers: published measures, each written from its paper."""
