"""Perceptual features: the encoder that compares pictures as an eye trained on pictures would."""
