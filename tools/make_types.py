"""Write for the page what the library knows about looks: types, options, and the cases that both are tested with.

    python tools/make_types.py [--check]

web/src/generated.ts       types of looks and segments, their options, names of styles
web/test/looks.json        what the library reads from the looks that are in there; new cases are added by hand
web/test/plans.json        what some looks mean, as selfieart.render.plan has it

With --check nothing is written; the names of files that differ are printed, and the exit status is 1.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from selfieart.app.messages import look_json
from selfieart.errors import SelfieartError
from selfieart.look import Look
from selfieart.look_schema import LARGEST_WHOLE, LOOK_OPTIONS, SEGMENT_OPTIONS, Option
from selfieart.render.plan import plan
from selfieart.segments import ALIASES
from selfieart.style_names import (
    MOST_PARTS,
    PLAIN_STYLES,
    STYLE_PREFIX,
    STYLE_SUFFIXES,
    STYLE_SYNONYMS,
    WEIGHT_UNITS,
)
from selfieart.styles.presets import presets
from selfieart.styles.resolve import resolve_style

WEB = Path(__file__).resolve().parents[1] / "web"

PLANNED: tuple[dict[str, Any], ...] = (
    {},
    {"hair": "candy"},
    {"everything": "wave", "person": "candy", "face": "grey", "lips": "#f00"},
    {"head": {"style": "starry-night", "strength": 0.5, "keep_color": 0.25, "feather": 2}, "body": "Gray"},
    {"upper-lip": "candy", "lower-lip": "wave", "lips": "udnie", "mouth": "#00ff80"},
    {"accessories": "blur", "hat": "candy:0.6+wave:0.4", "clothes": "wave:2+candy:3", "eyes": "la_muse"},
    {"person": "candy:1", "bg": "wave+wave", "nose": "none", "right_eye": {"style": "blur", "strength": 0}},
)
"""Segments of the looks whose plans the page is tested with."""

HEADER = """\
/** Made by tools/make_types.py from what the Python library knows about looks: change it there and run `make types`. */

export interface Option {
  readonly name: string;
  readonly initial: string | number | null;
  readonly must: string;
  readonly words: readonly string[];
  readonly meanings: Readonly<Record<string, number>>;
  readonly number: "" | "real" | "whole";
  readonly lowest: number;
  readonly highest: number;
  readonly above: boolean;
  readonly text: boolean;
  readonly usual: string;
  readonly range: string;
  readonly listing: string | null;
}
"""


def value_text(value: Any) -> str:
    """A value of Python as one of TypeScript."""
    if value == float("inf"):
        return "Number.POSITIVE_INFINITY"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict):
        rows = ", ".join(f"{json.dumps(key)}: {value_text(one)}" for key, one in value.items())
        return f"{{ {rows} }}" if value else "{}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(value_text(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def kind_text(option: Option) -> str:
    """The type of an option's values."""
    words = [json.dumps(word) for word in option.words]
    return " | ".join([*words, *(["number"] if option.number else []), *(["string"] if option.text else [])])


def interface(name: str, options: dict[str, Option], more: str = "") -> str:
    """A type with a field for every option."""
    fields = "".join(f"  /** {option.about} */\n  {key}: {kind_text(option)};\n" for key, option in options.items())
    return f"export interface {name} {{\n{fields}{more}}}\n"


def options_text(name: str, of: str, options: dict[str, Option]) -> str:
    """The options themselves, as a table."""
    keys = ("must", "words", "meanings", "number", "lowest", "highest", "above", "text", "usual", "range", "listing")
    rows = []
    for key, option in options.items():
        table = {"name": key, "initial": option.default} | {attribute: getattr(option, attribute) for attribute in keys}
        fields = "".join(f"    {attribute}: {value_text(value)},\n" for attribute, value in table.items())
        rows.append(f"  {key}: {{\n{fields}  }},\n")
    return f"export const {name}: Readonly<Record<{of}, Option>> = {{\n{''.join(rows)}}};\n"


def generated() -> str:
    """The text of generated.ts."""
    constants = {
        "LARGEST_WHOLE": LARGEST_WHOLE,
        "PLAIN_STYLES": PLAIN_STYLES,
        "STYLE_SYNONYMS": STYLE_SYNONYMS,
        "STYLE_SUFFIXES": STYLE_SUFFIXES,
        "STYLE_PREFIX": STYLE_PREFIX,
        "MOST_PARTS": MOST_PARTS,
        "WEIGHT_UNITS": WEIGHT_UNITS,
        "PRESETS": tuple(presets()),
    }
    kinds = dict.fromkeys(("PLAIN_STYLES", "STYLE_SUFFIXES", "PRESETS"), ": readonly string[]")
    kinds["STYLE_SYNONYMS"] = ": Readonly<Record<string, string>>"
    lines = [f"export const {key}{kinds.get(key, '')} = {value_text(value)};\n" for key, value in constants.items()]
    segments = "  /** Segment or group -> what it wears. */\n  segments: Record<string, Worn>;\n"
    return "\n".join(
        (
            HEADER,
            interface("Worn", SEGMENT_OPTIONS),
            interface("Look", LOOK_OPTIONS, segments),
            'export type Faces = Look["faces"];\n',
            '/** JSON cannot say infinity. */\nexport type WireLook = Omit<Look, "tau"> & { tau: number | "inf" };\n',
            options_text("LOOK_OPTIONS", 'Exclude<keyof Look, "segments">', LOOK_OPTIONS),
            options_text("SEGMENT_OPTIONS", "keyof Worn", SEGMENT_OPTIONS),
            f"export const SEGMENT_ALIASES: Readonly<Record<string, string>> = {value_text(ALIASES)};\n",
            "".join(lines),
        )
    )


def named(style: str) -> str:
    """The one name of a style; a style that does not exist as it is written."""
    try:
        return resolve_style(style).name
    except SelfieartError:
        return style


def named_look(look: Look) -> dict[str, Any]:
    """A look as the page gets it, with the canonical names of its styles."""
    table = look_json(look)
    for worn in table["segments"].values():
        worn["style"] = named(worn["style"])
    return table


def looks(text: str) -> str:
    """The text of looks.json with what the library reads from each case."""
    tables = json.loads(text)
    lines = []
    for case in tables["cases"]:
        outcome: dict[str, Any]
        try:
            outcome = {"look": named_look(Look.from_data(case["data"]))}
        except SelfieartError as error:
            outcome = {"refused": str(error)}
        lines.append(json.dumps({"data": case["data"]} | outcome, ensure_ascii=False))
    styles = [json.dumps([style, named(style)], ensure_ascii=False) for style, _ in tables["styles"]]
    return '{"cases": [\n' + ",\n".join(lines) + '\n], "styles": [\n' + ",\n".join(styles) + "\n]}\n"


def plans() -> str:
    """The text of plans.json."""
    rows = []
    for segments in PLANNED:
        parts = [
            {
                "name": worn.name,
                "classes": sorted(worn.classes),
                "kind": worn.style.kind,
                "style": worn.style.name,
                "color": list(worn.style.color),
                "strength": worn.strength,
                "keep_color": worn.keep_color,
                "feather": worn.feather,
            }
            for worn in plan(Look.from_data({"segments": segments}))
        ]
        rows.append(json.dumps({"segments": segments, "plan": parts}))
    return "[\n" + ",\n".join(rows) + "\n]\n"


def made() -> dict[Path, str]:
    """Every file and what should be in it."""
    cases = WEB / "test" / "looks.json"
    return {
        WEB / "src" / "generated.ts": generated(),
        cases: looks(cases.read_text("utf-8")),
        WEB / "test" / "plans.json": plans(),
    }


def main() -> int:
    """Write the files, or compare them."""
    stale = [path for path, text in made().items() if not path.is_file() or path.read_text("utf-8") != text]
    for path in stale:
        sys.stdout.write(f"{path.relative_to(WEB.parent)}\n")
        if "--check" not in sys.argv:
            path.write_text(made()[path], "utf-8")
    return int("--check" in sys.argv and bool(stale))


if __name__ == "__main__":
    raise SystemExit(main())
