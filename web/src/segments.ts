/** Segments and groups: who owns which class when several names are worn. The same rules as the Python library. */

import type { Info } from "./types";

export interface SegmentTable {
  /** In the order of the logits. */
  names: string[];
  colors: [number, number, number][];
  /** Segment or group -> class indices, ascending. */
  members: Map<string, number[]>;
}

const GROUP_ORDER = ["everything", "person", "head", "face", "eyes", "brows", "ears", "lips", "body", "accessories"];

export function segmentTable(info: Pick<Info, "segments" | "groups">): SegmentTable {
  const names = info.segments.map((segment) => segment.name);
  const members = new Map(names.map((name, index) => [name, [index]]));
  for (const [group, inside] of Object.entries(info.groups)) {
    members.set(group, inside.map((name) => names.indexOf(name)).sort((a, b) => a - b));
  }
  return { names, colors: info.segments.map((segment) => segment.color), members };
}

/** Every class to the most specific of the names that contain it; between equals the first in the alphabet. */
export function assign(table: SegmentTable, worn: string[]): Map<string, number[]> {
  const size = (name: string) => table.members.get(name)?.length ?? 0;
  const ordered = [...worn].sort((a, b) => size(b) - size(a) || (a < b ? 1 : -1));
  const owner = new Map<number, string>();
  for (const name of ordered) for (const index of table.members.get(name) ?? []) owner.set(index, name);
  return new Map(
    worn.map((name) => [name, (table.members.get(name) ?? []).filter((index) => owner.get(index) === name)]),
  );
}

/** The groups that contain a segment or group, smallest first, itself excluded. */
export function widerGroups(table: SegmentTable, name: string): string[] {
  const own = table.members.get(name) ?? [];
  return groups(table)
    .filter((group) => {
      const inside = table.members.get(group)!;
      return group !== name && inside.length > own.length && own.every((index) => inside.includes(index));
    })
    .sort((a, b) => table.members.get(a)!.length - table.members.get(b)!.length);
}

/** All groups in the order in which a person looks for them. */
export function groups(table: SegmentTable): string[] {
  const known = [...table.members.keys()].filter((name) => !table.names.includes(name));
  const place = (name: string) => (GROUP_ORDER.indexOf(name) + 1 || 99);
  return known.sort((a, b) => place(a) - place(b));
}

/** The name among `worn` from which a segment or group gets its style, if there is one. */
export function wornBy(table: SegmentTable, worn: string[], name: string): string | null {
  if (worn.includes(name)) return name;
  return widerGroups(table, name).find((group) => worn.includes(group)) ?? null;
}

/** Names that lie wholly within another name, itself excluded. */
export function within(table: SegmentTable, worn: string[], name: string): string[] {
  const own = table.members.get(name) ?? [];
  return worn.filter((other) => other !== name && table.members.get(other)!.every((index) => own.includes(index)));
}

/** Class indices of several names as bits. */
export function bits(table: SegmentTable, names: Iterable<string>): number {
  let out = 0;
  for (const name of names) for (const index of table.members.get(name) ?? []) out |= 1 << index;
  return out;
}

/** As a person reads it: "left-eye" -> "Left eye". */
export function title(name: string): string {
  const words = name.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
