import { expect, test } from "vitest";
import { assign, bits, segmentTable, title, widerGroups, wornBy } from "../src/segments";
import type { Info } from "../src/types";
import assigned from "./assigned.json";

const table = segmentTable(assigned as unknown as Info);

test("the most specific name wins, as in the Python library", () => {
  // Written by selfieart.segments.assign; a Python test keeps it so.
  for (const expected of assigned.cases as Record<string, string[]>[]) {
    const kept = assign(table, Object.keys(expected).reverse());
    for (const [name, classes] of Object.entries(expected)) {
      expect(kept.get(name)!.map((index) => table.names[index]).sort(), name).toEqual(classes);
    }
  }
});

test("wider groups come smallest first", () => {
  expect(widerGroups(table, "left-eye")).toEqual(["eyes", "face", "head", "person", "everything"]);
  expect(widerGroups(table, "background")).toEqual(["everything"]);
});

test("a segment shows what the smallest group round it wears", () => {
  expect(wornBy(table, ["person", "face", "lips"], "nose")).toBe("face");
  expect(wornBy(table, ["person", "face", "lips"], "hair")).toBe("person");
  expect(wornBy(table, ["face"], "background")).toBeNull();
});

test("bits and titles", () => {
  expect(bits(table, ["background", "nose"])).toBe(0b101);
  expect(title("left-eye")).toBe("Left eye");
});
