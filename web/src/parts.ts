/** From a look to what the compositor draws and which layers it needs. */

import type { LayerKey } from "./api";
import type { Part } from "./gl/compositor";
import { type SegmentTable, assign } from "./segments";
import { isPainted, parseColor } from "./style_names";
import type { Look } from "./types";

export function layerName(key: LayerKey): string {
  return JSON.stringify([key.style, key.stroke, key.seed, key.faces, key.fine]);
}

export interface Plan {
  parts: (Part & { name: string; style: string })[];
  /** Layers by their names. */
  needed: Map<string, LayerKey>;
}

/** What a look draws on a preview whose short side is known. */
export function plan(table: SegmentTable, look: Look, shortSide: number): Plan {
  const kept = assign(table, Object.keys(look.segments));
  const head = new Set(table.members.get("head") ?? []);
  const names = [...kept.keys()].filter((name) => kept.get(name)!.length).sort();
  // A style that any part of a head wears is painted with fine faces for all its segments: once, not twice.
  const fine = new Set(
    names.filter((name) => kept.get(name)!.some((k) => head.has(k))).map((name) => look.segments[name]!.style),
  );
  const needed = new Map<string, LayerKey>();
  const parts = names.map((name) => {
    const worn = look.segments[name]!;
    const common = {
      name,
      style: worn.style,
      classes: kept.get(name)!,
      strength: worn.strength,
      keepColor: worn.keep_color,
      feather: (worn.feather / 100) * shortSide,
    };
    if (isPainted(worn.style)) {
      const key = { style: worn.style, stroke: look.stroke, seed: look.seed, faces: look.faces, fine: fine.has(worn.style) };
      const layer = layerName(key);
      needed.set(layer, key);
      return { ...common, kind: "layer" as const, layer };
    }
    const color = parseColor(worn.style);
    if (color) return { ...common, kind: "color" as const, color };
    const kind = worn.style === "blur" || worn.style === "grey" ? worn.style : "none";
    return { ...common, kind } as Plan["parts"][number];
  });
  return { parts, needed };
}
