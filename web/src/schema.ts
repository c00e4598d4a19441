/** Reads the options of a look by the description that the Python library gives; twin of look_schema.py. */

import { LARGEST_WHOLE, LOOK_OPTIONS, type Look, type Option, SEGMENT_ALIASES, SEGMENT_OPTIONS, type Worn } from "./generated";
import type { SegmentTable } from "./segments";
import { printable, unknown } from "./sentences";

function refused(option: Option, value: unknown, must = ""): Error {
  if (option.listing !== null && (typeof value === "string" || !option.number)) {
    return unknown(option.name, String(value), option.words, option.listing);
  }
  const shown = typeof value === "string" ? `'${value}'` : JSON.stringify(value);
  return new Error(`${must || option.must}, not ${printable(shown, 40)}${option.usual && `: ${option.usual}`}.`);
}

/** A value as TOML or JSON has it: of a right kind, words in their one spelling. */
export function read(option: Option, value: unknown): string | number {
  if (value === null && option.initial !== null) throw new Error(`${option.name} is null: leave it out for its usual value.`);
  if (typeof value === "string") {
    if (option.text) return value;
    const word = value.trim().toLowerCase();
    const meaning = option.meanings[word];
    if (meaning !== undefined) return meaning;
    if (!option.words.length) throw refused(option, value);
    return option.words.includes(word) ? word : value;
  }
  const whole = Number.isInteger(value) && Math.abs(value as number) <= LARGEST_WHOLE;
  if (typeof value !== "number" || !option.number || (option.number === "whole" && !whole)) throw refused(option, value);
  return value;
}

/** The value, if it is in range and exists. */
export function checked(option: Option, value: string | number): string | number {
  if (typeof value === "string") {
    if (!value || (!option.text && !option.words.includes(value))) throw refused(option, value);
    return value;
  }
  const inside = value >= option.lowest && value <= option.highest && !(option.above && value === option.lowest);
  if (!inside) throw refused(option, value, option.range);
  return value;
}

/** The one spelling of a segment's or group's name. */
export function canonical(table: SegmentTable, written: string): string {
  const key = written.trim().toLowerCase().replaceAll("_", "-").replaceAll(" ", "-");
  const name = SEGMENT_ALIASES[key] ?? key;
  if (!table.members.has(name)) throw unknown("segment", written, [...table.members.keys(), ...Object.keys(SEGMENT_ALIASES)]);
  return name;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkKeys(kind: string, data: Record<string, unknown>, known: string[]): void {
  for (const key of Object.keys(data)) if (!known.includes(key)) throw unknown(kind, key, known);
}

/** What of some options is written in a table; the others are as they usually are. */
function options<T>(described: Readonly<Record<string, Option>>, data: Record<string, unknown>): T {
  const values = Object.values(described).map(
    (option) => [option.name, option.name in data ? read(option, data[option.name]) : option.initial] as const,
  );
  return Object.fromEntries(values) as T;
}

function check(described: Readonly<Record<string, Option>>, values: object): void {
  for (const [name, value] of Object.entries(values)) {
    const option = described[name];
    if (option) checked(option, value as string | number);
  }
}

/** A look from JSON or TOML data. Throws an Error with one sentence when something in it is not understood. */
export function lookFromData(data: unknown, table: SegmentTable): Look {
  if (!isRecord(data)) {
    throw new Error('A look must be a table of options: write tau = 3, or [segments.hair] and style = "candy".');
  }
  checkKeys("option of a look", data, ["segments", ...Object.keys(LOOK_OPTIONS)]);
  const look = { ...options<Omit<Look, "segments">>(LOOK_OPTIONS, data), segments: {} as Record<string, Worn> };
  const written = "segments" in data ? data.segments : {};
  if (!isRecord(written)) {
    throw new Error("'segments' must be tables: write [segments.hair] and below it style = \"candy\".");
  }
  const worn = Object.entries(written).map(([name, value]) => [name, segment(printable(name), value)] as const);
  for (const [, one] of worn) check(SEGMENT_OPTIONS, one);
  for (const [name, one] of worn) {
    const key = canonical(table, name);
    if (key in look.segments) throw new Error(`Segment '${key}' is given twice: give it one style.`);
    look.segments[key] = one;
  }
  check(LOOK_OPTIONS, look);
  return look;
}

function segment(name: string, value: unknown): Worn {
  const given = typeof value === "string" ? { style: value } : value;
  if (!isRecord(given) || !("style" in given)) {
    throw new Error(`Segment '${name}' needs a style: write style = "candy" below [segments.${name}].`);
  }
  checkKeys(`option of segment ${name}:`, given, Object.keys(SEGMENT_OPTIONS));
  return options<Worn>(SEGMENT_OPTIONS, given);
}
