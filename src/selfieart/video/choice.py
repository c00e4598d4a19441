"""What a person chooses for videos. Nothing is loaded here: commands and pages name their choice before anything is."""

from __future__ import annotations

STEADINESS = 0.85
"""How steady videos are when nobody says: in [0, 1], 0 paints every frame by itself."""
