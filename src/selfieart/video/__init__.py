"""Videos: reading, painting steadily, writing, and going on after an interruption."""
