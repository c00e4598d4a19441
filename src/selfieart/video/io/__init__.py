"""Video files: reading frames, writing them, and putting a clip together."""
