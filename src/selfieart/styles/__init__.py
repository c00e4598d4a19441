"""What a style's name means: presets, codes of any picture, plain effects."""
