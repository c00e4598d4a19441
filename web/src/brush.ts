/** Painting corrections onto a segment: a bias on logits. */

import type { Corrections } from "./types";

export interface Canvas {
  w: number;
  h: number;
  /** Logits (classes, h, w) without corrections. */
  planes: Float32Array;
}

/** By how many logits the painted class is to win, or to lose. */
const MARGIN = 4;

/** Corrections of their own, for one stroke to change. */
export function copied(corrections: Corrections, names: string[], area: number): Corrections {
  const out = { ...corrections };
  for (const name of names) out[name] = out[name]?.length === area ? out[name].slice() : new Int8Array(area);
  return out;
}

const clipped = (eighths: number) => Math.max(-128, Math.min(127, Math.round(eighths)));

/**
 * One dab of the brush, in place.
 *
 * @param corrections - with an array for every class: see `copied`.
 * @param target - class that is to win ("add") or to lose ("remove").
 * @param x, y, radius - in pixels of the logits.
 * @returns the rows that changed, [top, bottom).
 */
export function dab(
  corrections: Corrections,
  { w, h, planes }: Canvas,
  names: string[],
  target: number,
  mode: "add" | "remove",
  x: number,
  y: number,
  radius: number,
): [number, number] {
  const top = Math.max(0, Math.floor(y - radius));
  const bottom = Math.min(h, Math.ceil(y + radius) + 1);
  const left = Math.max(0, Math.floor(x - radius));
  const right = Math.min(w, Math.ceil(x + radius) + 1);
  const area = w * h;
  const own = corrections[names[target]!]!;
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      if (Math.hypot(column + 0.5 - x, row + 0.5 - y) > radius) continue;
      const at = row * w + column;
      const logit = (k: number) => planes[k * area + at]! + (corrections[names[k]!]?.[at] ?? 0) / 8;
      let rival = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < names.length; k++) if (k !== target) rival = Math.max(rival, logit(k));
      const raw = planes[target * area + at]!;
      if (mode === "remove") {
        own[at] = Math.min(own[at]!, clipped((rival - MARGIN - raw) * 8));
        continue;
      }
      own[at] = Math.max(own[at]!, clipped((rival + MARGIN - raw) * 8));
      // Eight bits reach 16 logits; where that is not enough the rivals come down.
      const ceiling = logit(target) - MARGIN;
      for (let k = 0; k < names.length; k++) {
        const over = k === target ? 0 : logit(k) - ceiling;
        if (over > 0) corrections[names[k]!]![at] = clipped(corrections[names[k]!]![at]! - over * 8);
      }
    }
  }
  return [top, bottom];
}

/** Corrections without the segments on which nothing is painted. */
export function tidied(corrections: Corrections): Corrections {
  return Object.fromEntries(Object.entries(corrections).filter(([, bias]) => bias.some((value) => value !== 0)));
}
