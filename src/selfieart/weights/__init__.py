"""The packaged weights: one manifest, one loader."""

from selfieart.weights.manifest import WeightsEntry, load_weights, manifest

__all__ = ["WeightsEntry", "load_weights", "manifest"]
