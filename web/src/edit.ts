/** Changes of the design that a person makes; each can be undone. */

import * as api from "./api";
import { record, redo as redone, settle, undo as undone } from "./history";
import { EMPTY_LOOK, fromData, withKnobs, withStyle, withoutStyle, wornOn } from "./look";
import { title, within, wornBy } from "./segments";
import { partsOf } from "./style_names";
import { announcement, design, fail, history, info, look, photo, selection, table, targets, tell, uploaded } from "./state";
import type { Corrections, Look, Worn } from "./types";

export function setLook(next: Look, tag: string | null = null): void {
  if (JSON.stringify(next) === JSON.stringify(look.value) && next.tau === look.value.tau) return;
  history.value = record(history.value, { ...design.value, look: next }, tag);
}

export function setCorrections(corrections: Corrections): void {
  history.value = record(history.value, { ...design.value, corrections });
}

/** A dragged slider is released: its way was one step. */
export function settleStep(): void {
  history.value = settle(history.value);
}

export function undo(): void {
  history.value = undone(history.value);
  announcement.value = "Undone";
}

export function redo(): void {
  history.value = redone(history.value);
  announcement.value = "Redone";
}

/** Name of a style as a person reads it. */
export function styleTitle(style: string): string {
  const parts = partsOf(style);
  if (parts.length > 1) return parts.map((part) => `${Math.round(100 * part.weight)} % ${styleTitle(part.style)}`).join(" + ");
  const preset = info.value?.presets.find((one) => one.name === style);
  return preset?.title ?? uploaded.value.find((one) => one.id === style)?.name ?? title(style);
}

export function describe(names: string[]): string {
  return names.length === 1 && names[0] === "everything" ? "the whole picture" : names.map(title).join(", ").toLowerCase();
}

/** Put a style on what is selected. */
export function wear(style: string): void {
  const names = targets.value;
  if (style === "original") {
    // Where no wider group wears anything, taking the style off says it more simply.
    const inner = names.filter((name) => {
      const from = wornBy(table.value, Object.keys(look.value.segments), name);
      return from !== null && from !== name;
    });
    const bare = withoutStyle(table.value, look.value, names);
    setLook(inner.length ? withStyle(table.value, bare, inner, style) : bare);
  } else {
    setLook(withStyle(table.value, look.value, names, style));
  }
  announcement.value = `${styleTitle(style)} on ${describe(names)}`;
}

/** Turn a knob of what is selected. */
export function turn(knob: keyof Omit<Worn, "style">, value: number): void {
  setLook(withKnobs(table.value, look.value, targets.value, { [knob]: value }), `${knob}:${targets.value.join()}`);
}

/** What the selection shows: the first of several stands for all. */
export function wornNow(): Worn | null {
  return wornOn(table.value, look.value, targets.value[0]!);
}

/** What the knobs show: also where only parts of the selection wear something. */
export function turnedNow(): Worn | null {
  const [inner] = within(table.value, Object.keys(look.value.segments), targets.value[0]!);
  return wornNow() ?? (inner ? look.value.segments[inner]! : null);
}

export function takeOff(name: string): void {
  setLook(withoutStyle(table.value, look.value, [name]));
}

export function change(part: Partial<Omit<Look, "segments">>, tag: string | null = null): void {
  setLook({ ...look.value, ...part }, tag);
}

export function reset(): void {
  if (!Object.keys(look.value.segments).length && !Object.keys(design.value.corrections).length) return;
  history.value = record(history.value, { look: EMPTY_LOOK, corrections: {} });
  tell("Back to the photo.", "plain", { label: "Undo", run: undo });
}

export async function surprise(): Promise<void> {
  if (!photo.value) return;
  try {
    const next = fromData(await api.surprise(photo.value.id), table.value);
    setLook({ ...next, faces: look.value.faces });
    announcement.value = `A surprise: ${Object.entries(next.segments).map(([name, worn]) => `${styleTitle(worn.style)} on ${title(name)}`).join(", ")}`;
  } catch (error) {
    fail(error);
  }
}

/** Select one segment or group; with `more`, add it to or take it from the selection. */
export function select(name: string | null, more = false): void {
  if (name === null) selection.value = [];
  else if (!more) selection.value = [name];
  else if (selection.value.includes(name)) selection.value = selection.value.filter((other) => other !== name);
  else selection.value = [...selection.value, name];
  announcement.value = `Selected: ${describe(targets.value)}`;
}
