/** Looks: changing them, and reading and writing them as files. Every function returns a new look. */

import { parse, stringify } from "smol-toml";
import { LOOK_OPTIONS, type Look, type Option, SEGMENT_OPTIONS, type WireLook, type Worn } from "./generated";
import { lookFromData } from "./schema";
import { type SegmentTable, within, wornBy } from "./segments";
import { named } from "./style_names";

function initial(options: Readonly<Record<string, Option>>): Record<string, unknown> {
  return Object.fromEntries(Object.values(options).map((option) => [option.name, option.initial]));
}

export const EMPTY_LOOK = { ...initial(LOOK_OPTIONS), segments: {} } as Look;
export const PLAIN = { ...initial(SEGMENT_OPTIONS), style: "original" } as Worn;

/** What a segment or group shows: its own, or what the smallest group round it wears. */
export function wornOn(table: SegmentTable, look: Look, name: string): Worn | null {
  const from = wornBy(table, Object.keys(look.segments), name);
  return from === null ? null : look.segments[from]!;
}

/** Put a style on some segments. What lay within them goes, so that all that was selected changes. */
export function withStyle(table: SegmentTable, look: Look, names: string[], style: string): Look {
  let segments = { ...look.segments };
  for (const name of names) {
    const before = wornOn(table, look, name) ?? PLAIN;
    segments = without(segments, within(table, Object.keys(segments), name));
    segments[name] = { ...before, style };
  }
  return { ...look, segments };
}

/** Change the knobs of some segments, and of what lies within them. */
export function withKnobs(table: SegmentTable, look: Look, names: string[], knobs: Partial<Worn>): Look {
  const segments = { ...look.segments };
  for (const name of names) {
    const worn = wornOn(table, look, name);
    if (worn) segments[name] = { ...worn, ...knobs };
    for (const inner of within(table, Object.keys(segments), name)) segments[inner] = { ...segments[inner]!, ...knobs };
  }
  return { ...look, segments };
}

/** Take the style off some segments; what a wider group wears is seen again. */
export function withoutStyle(table: SegmentTable, look: Look, names: string[]): Look {
  const gone = names.flatMap((name) => [name, ...within(table, Object.keys(look.segments), name)]);
  return { ...look, segments: without(look.segments, gone) };
}

function without(segments: Record<string, Worn>, names: string[]): Record<string, Worn> {
  return Object.fromEntries(Object.entries(segments).filter(([name]) => !names.includes(name)));
}

export function toWire(look: Look): WireLook {
  return { ...look, tau: Number.isFinite(look.tau) ? look.tau : "inf" };
}

/** A look from JSON or TOML data. Throws an Error with one sentence when something in it is not understood. */
export function fromData(data: unknown, table: SegmentTable): Look {
  const look = lookFromData(data, table);
  const segments = Object.entries(look.segments).map(([name, worn]) => [name, { ...worn, style: named(worn.style) }]);
  return { ...look, segments: Object.fromEntries(segments) };
}

/** Read a TOML or JSON file. */
export function fromText(text: string, table: SegmentTable): Look {
  let data: unknown;
  try {
    data = text.trimStart().startsWith("{") ? JSON.parse(text) : parse(text);
  } catch {
    throw new Error("This file holds no look: a look is a TOML or JSON file.");
  }
  return fromData(data, table);
}

/** The look as TOML, as the library writes it: values that are the default are left out. */
export function toToml(look: Look): string {
  const table: Record<string, unknown> = {};
  for (const key of Object.keys(LOOK_OPTIONS) as (keyof typeof LOOK_OPTIONS)[]) {
    if (key === "tau" || look[key] !== EMPTY_LOOK[key]) table[key] = look[key];
  }
  table.segments = Object.fromEntries(
    Object.entries(look.segments).map(([name, worn]) => [
      name,
      Object.fromEntries(
        Object.entries(worn).filter(([key, value]) => key === "style" || value !== PLAIN[key as keyof Worn]),
      ),
    ]),
  );
  return `${stringify(table)}\n`;
}

/** Position 0..1 of a slider for tau: logarithmic from 0.5 to 20, binary at the very end. */
export const TAU = { low: 0.5, high: 20, end: 0.94 };

export function tauAt(position: number): number {
  if (position > TAU.end + 0.02) return Number.POSITIVE_INFINITY;
  const tau = TAU.low * (TAU.high / TAU.low) ** Math.min(1, position / TAU.end);
  return Number(tau.toPrecision(2));
}

export function placeOfTau(tau: number): number {
  if (!Number.isFinite(tau)) return 1;
  const share = Math.log(tau / TAU.low) / Math.log(TAU.high / TAU.low);
  return Math.min(1, Math.max(0, share)) * TAU.end;
}
