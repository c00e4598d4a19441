"""What is installed beside the base: which parts of the program need it, and how to get it."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from selfieart.errors import SelfieartError

EXTRAS: dict[str, tuple[str, ...]] = {
    "methods": ("torch", "scipy"),
}
"""Name of each extra -> the modules that it brings."""


@cache
def has(extra: str) -> bool:
    """Whether everything that an extra brings is installed; nothing is imported."""
    return all(find_spec(module) is not None for module in EXTRAS[extra])


def require(extra: str) -> None:
    """Refuse to go on without an extra.

    Raises:
        SelfieartError: it is not installed; the sentence says how to install it.
    """
    if not has(extra):
        raise SelfieartError(f"This needs more than the base: run pip install 'selfieart[{extra}]'.")
