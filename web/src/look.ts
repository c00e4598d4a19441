/** Looks: changing them, and reading and writing them as files. Every function returns a new look. */

import { parse, stringify } from "smol-toml";
import { type SegmentTable, within, wornBy } from "./segments";
import type { Faces, Look, WireLook, Worn } from "./types";

export const EMPTY_LOOK: Look = { tau: 3, stroke: "medium", seed: 0, faces: "all", blend: "pixels", segments: {} };
export const PLAIN: Worn = { style: "original", strength: 1, keep_color: 0, feather: 0 };

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
  if (!isRecord(data)) throw new Error("This file holds no look: save one with Save look and load that.");
  const look: Look = { ...EMPTY_LOOK, segments: {} };
  for (const [key, value] of Object.entries(data)) {
    if (key === "tau") look.tau = tauFrom(value);
    else if (key === "stroke" && (typeof value === "string" || typeof value === "number")) look.stroke = value;
    else if (key === "seed" && Number.isInteger(value)) look.seed = value as number;
    else if (key === "faces" && (value === "all" || value === "largest" || Number.isInteger(value))) look.faces = value as Faces;
    else if (key === "blend" && (value === "pixels" || value === "features")) look.blend = value;
    else if (key === "segments" && isRecord(value)) look.segments = segmentsFrom(value, table);
    else throw new Error(`The look says “${key}” in a way that this version does not understand.`);
  }
  return look;
}

function tauFrom(value: unknown): number {
  const tau = value === "inf" || value === "binary" ? Number.POSITIVE_INFINITY : Number(value);
  if (!(tau > 0)) throw new Error("The look's tau must be a number greater than 0.");
  return tau;
}

function segmentsFrom(data: Record<string, unknown>, table: SegmentTable): Record<string, Worn> {
  const segments: Record<string, Worn> = {};
  for (const [written, value] of Object.entries(data)) {
    const name = written.trim().toLowerCase().replaceAll("_", "-").replaceAll(" ", "-");
    if (!table.members.has(name)) throw new Error(`The look names a segment that does not exist: “${written}”.`);
    const given = typeof value === "string" ? { style: value } : value;
    if (!isRecord(given) || typeof given.style !== "string") throw new Error(`The look gives “${written}” no style.`);
    const knob = (key: string, most: number) => {
      const number = Number(given[key] ?? PLAIN[key as keyof Worn]);
      if (!(number >= 0 && number <= most)) throw new Error(`The look's ${key} of “${written}” must be 0 to ${most}.`);
      return number;
    };
    segments[name] = {
      style: given.style,
      strength: knob("strength", 1),
      keep_color: knob("keep_color", 1),
      feather: knob("feather", 20),
    };
  }
  return segments;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
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
  for (const key of ["tau", "blend", "stroke", "faces", "seed"] as const) {
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
