"""Write docs/models.md from the manifest of weights. Run by ``make docs``."""

from __future__ import annotations

from pathlib import Path

from selfieart.weights.cards import model_cards

if __name__ == "__main__":
    Path(__file__).with_name("models.md").write_text(model_cards(), "utf-8")
