/** How styles are written: names, colours, files, mixes such as candy:0.6+wave:0.4; twin of style_names.py. */

import { MOST_PARTS, PLAIN_STYLES, PRESETS, STYLE_PREFIX, STYLE_SUFFIXES, STYLE_SYNONYMS, WEIGHT_UNITS } from "./generated";

export interface Part {
  style: string;
  /** Of a mix; all sum to 1. */
  weight: number;
}

/** (r, g, b) in 0..255 of "#rgb" or "#rrggbb"; null if the style is no colour. */
export function parseColor(style: string): [number, number, number] | null {
  const match = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(style);
  if (!match) return null;
  const digits = match[1]!.length === 3 ? [...match[1]!].map((d) => d + d).join("") : match[1]!;
  const value = Number.parseInt(digits, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

export function isPainted(style: string): boolean {
  return !PLAIN_STYLES.includes(style) && !style.startsWith("#");
}

/** The one spelling of a name that is neither a file nor a colour. */
export function spelled(style: string): string {
  const name = style.trim().toLowerCase().replaceAll("_", "-").replaceAll(" ", "-");
  return STYLE_SYNONYMS[name] ?? name;
}

function isFile(style: string): boolean {
  return /[/\\]/.test(style) || STYLE_SUFFIXES.some((suffix) => style.toLowerCase().endsWith(suffix));
}

/** The parts of a mix, sorted by name; one part if the style is no mix, or none that the page understands. */
export function partsOf(style: string): Part[] {
  return mixed(style) ?? [{ style, weight: 1 }];
}

function mixed(style: string): Part[] | null {
  const pieces = style.split("+").map(weighed);
  if (pieces.length > MOST_PARTS || pieces.some((piece) => piece === null)) return null;
  const written = pieces as { style: string; weight: number | null }[];
  const bare = written.filter(({ weight }) => weight === null).length;
  if ((bare && bare < written.length) || (bare && written.length === 1)) return null;
  const weights = new Map<string, number>();
  for (const piece of written) weights.set(piece.style, (weights.get(piece.style) ?? 0) + (piece.weight ?? 1));
  return shares(weights);
}

/** Weights that sum to 1 in whole units, in the order of the names; those of less than one unit are left out. */
function shares(weights: Map<string, number>): Part[] {
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const exact = [...weights]
    .map(([style, weight]) => ({ style, units: (weight / total) * WEIGHT_UNITS }))
    .sort((a, b) => (a.style < b.style ? -1 : 1));
  const whole = exact.map(({ units }) => Math.floor(units));
  // The greatest remainders are rounded up; equal ones in the order of the names, whatever the last bit says.
  const remainder = (place: number) => Math.round((exact[place]!.units - Math.floor(exact[place]!.units)) * 1e6);
  const behind = exact.map((_, place) => place).sort((a, b) => remainder(b) - remainder(a));
  const missing = WEIGHT_UNITS - whole.reduce((sum, units) => sum + units, 0);
  for (const place of behind.slice(0, missing)) whole[place]!++;
  return exact.map(({ style }, place) => ({ style, weight: whole[place]! / WEIGHT_UNITS })).filter(({ weight }) => weight > 0);
}

/** A part of a mix with the weight that is written; null if it cannot be one. */
function weighed(written: string): { style: string; weight: number | null } | null {
  const text = written.trim();
  const match = /^(.+):\s*(\d+(?:\.\d*)?|\.\d+)$/s.exec(text);
  const isId = match !== null && `${match[1]!.trim()}:` === STYLE_PREFIX;
  const name = match && !isId ? match[1]!.trim() : text;
  const weight = match && !isId ? Number(match[2]) : null;
  if (weight !== null && !(weight > 0 && weight < 1e9)) return null;
  if (name.startsWith(STYLE_PREFIX) || isFile(name)) return { style: name, weight };
  return PRESETS.includes(spelled(name)) ? { style: spelled(name), weight } : null;
}

/** The one name of a style, so that equal mixes are one layer; what the page does not know stays as it is written. */
export function named(style: string): string {
  if (PRESETS.includes(spelled(style)) || PLAIN_STYLES.includes(spelled(style))) return spelled(style);
  const parts = mixed(style);
  if (!parts) return style;
  if (parts.length === 1) return parts[0]!.style;
  return parts.map((part) => `${part.style}:${Number(part.weight.toFixed(6))}`).join("+");
}
