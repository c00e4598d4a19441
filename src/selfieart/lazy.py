"""Packages that import what they offer when it is asked for, so that nobody waits for what is not used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from selfieart.extras import require


def lazily(
    package: str, homes: Mapping[str, Sequence[str]], extras: Mapping[str, str] | None = None
) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package: it finds a name in the module that it is in.

    Args:
        package: its name.
        homes: module of the package -> names in it.
        extras: module -> the extra without which it cannot be imported.

    Returns:
        Name -> what is called so. It raises AttributeError for a name that is in no module, and SelfieartError, with
        the command that installs it, where the extra is missing.
    """
    places = {name: home for home, names in homes.items() for name in names}
    needed = extras or {}

    def find(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        home = places[name]
        if home in needed:
            require(needed[home])
        return getattr(import_module(f"{package}.{home}"), name)

    return find
