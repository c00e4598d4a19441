"""The packaged weights: one manifest, one loader; and the graphs of the networks that they belong to."""

from selfieart.weights.manifest import WeightsEntry, as_float32, load_weights, manifest

__all__ = ["WeightsEntry", "as_float32", "load_weights", "manifest"]
