"""The command line. Nothing heavy is imported before a command runs, so ``selfieart --help`` answers at once."""

from __future__ import annotations

from selfieart.cli.main import app, main

__all__ = ["app", "main"]
