"""Lets the documentation follow the references of docstrings: :func:`selfieart.masks.select` becomes a link.

A reference to nothing is an error when the site is built strictly; one to something that has no page is shown as code.
mkdocs.yml names this file among the extensions of mkdocstrings.
"""

from __future__ import annotations

import re
from typing import Any

from griffe import Class, Extension, GriffeLoader, Module, Object

_ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`~?([\w.]+)`")


class Roles(Extension):
    """Rewrites the docstring of everything that is documented."""

    def on_object(self, *, obj: Object, loader: GriffeLoader, **_: Any) -> None:
        """Make a link of each reference."""
        if obj.docstring is not None:
            obj.docstring.value = _ROLE.sub(lambda found: _link(found[1], obj, loader), obj.docstring.value)


def _link(name: str, place: Object, loader: GriffeLoader) -> str:
    shown = f"`{name.removeprefix('selfieart.')}`"
    path = _path(name, place, loader)
    if path is None:
        # Nothing has this name: left as a plain reference, it stops a strict build.
        return f"[{shown}][{name}]"
    return f'<autoref optional identifier="{path}">{shown}</autoref>'


def _path(name: str, place: Object, loader: GriffeLoader) -> str | None:
    """Where what is called so is defined: seen from the package, or from the class or module it is written in."""
    members = loader.modules_collection
    if name.startswith("selfieart."):
        return _defined(name, members)
    scope: Object | None = place
    while scope is not None:
        if isinstance(scope, Class | Module) and name.split(".")[0] in scope.all_members:
            return _defined(f"{scope.path}.{name}", members)
        scope = scope.parent
    return None


def _defined(path: str, members: Any) -> str | None:
    """The path of the definition, through imports."""
    *scopes, last = path.split(".")
    found, walked = members, ""
    for part in (*scopes, last):
        try:
            found = found[part] if found is members else found.all_members[part]
        except KeyError:
            return None
        walked = f"{walked}.{part}" if walked else part
        while found.is_alias:
            walked = found.target_path
            found = members[walked]
    return walked
