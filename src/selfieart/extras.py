"""What may be installed beside the program, and the sentence that says how.

Everything that makes pictures and videos works without any extra; what needs one asks here before it imports it.
"""

from __future__ import annotations

from importlib.util import find_spec

from selfieart.errors import SelfieartError, unknown

EXTRAS: dict[str, tuple[str, ...]] = {
    "methods": ("torch", "scipy"),
    "train": ("torch", "scipy", "matplotlib"),
    "openvino": ("openvino",),
}
"""What each extra of the package brings, by the names under which it is imported."""


def has(extra: str) -> bool:
    """Whether everything that an extra brings is installed; nothing is imported.

    Raises:
        UnknownName: there is no such extra.
    """
    return not _missing(extra)


def require(extra: str) -> None:
    """Refuse to go on without an extra.

    Raises:
        UnknownName: there is no such extra.
        SelfieartError: some of it is not installed; the sentence has the command that installs it.
    """
    if not has(extra):
        missing = _missing(extra) or list(EXTRAS[extra])
        what = f"{', '.join(missing[:-1])} and {missing[-1]}" if len(missing) > 1 else missing[0]
        are = "are" if len(missing) > 1 else "is"
        raise SelfieartError(f"This needs {what}, which {are} not installed: run pip install 'selfieart[{extra}]'.")


def _missing(extra: str) -> list[str]:
    if extra not in EXTRAS:
        raise unknown("extra", extra, EXTRAS)
    return [name for name in EXTRAS[extra] if not _installed(name)]


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ImportError:
        # An import hook may refuse a name instead of not finding it.
        return False
