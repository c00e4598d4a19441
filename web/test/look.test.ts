import { expect, test } from "vitest";
import { EMPTY_LOOK, fromText, placeOfTau, tauAt, toToml, toWire, withKnobs, withStyle, withoutStyle } from "../src/look";
import { plan } from "../src/parts";
import { segmentTable } from "../src/segments";
import type { Info, Look } from "../src/types";
import assigned from "./assigned.json";

const table = segmentTable(assigned as unknown as Info);

/** As selfieart.look.Look.to_toml writes it. */
const WRITTEN = `tau = inf
stroke = 640
faces = 2
seed = 7

[segments.hair]
style = "starry-night"

[segments.left-eye]
style = "original"
strength = 0.25

[segments.person]
style = "#ff8800"
keep_color = 0.5
feather = 1.5
`;

test("a look of the library is read and written", () => {
  const look = fromText(WRITTEN, table);
  expect(look.tau).toBe(Number.POSITIVE_INFINITY);
  expect(look).toMatchObject({ stroke: 640, faces: 2, seed: 7, blend: "pixels" });
  expect(look.segments.person).toEqual({ style: "#ff8800", strength: 1, keep_color: 0.5, feather: 1.5 });
  expect(fromText(toToml(look), table)).toEqual(look);
  expect(fromText(JSON.stringify(toWire(look)), table)).toEqual(look);
});

test("short ways to write a look are read too", () => {
  const look = fromText('segments.Left_Eye = "candy"', table);
  expect(look.segments["left-eye"]?.style).toBe("candy");
});

test("what is no look is refused with one sentence", () => {
  for (const text of ["tau = [", "{", "[1]", "tau = 0", 'segments.tail = "candy"', "speed = 3", "segments.hair.strength = 2"]) {
    expect(() => fromText(text, table), text).toThrow(/^[^\n]+[.]$/);
  }
});

test("a style on a group replaces what lies within it, and keeps its knobs", () => {
  let look = withStyle(table, EMPTY_LOOK, ["hair", "lips"], "wave");
  look = withKnobs(table, look, ["hair"], { strength: 0.5 });
  look = withStyle(table, look, ["head"], "candy");
  expect(look.segments).toEqual({ head: { style: "candy", strength: 1, keep_color: 0, feather: 0 } });
  look = withKnobs(table, look, ["left-eye"], { strength: 0.2 });
  expect(look.segments["left-eye"]).toEqual({ style: "candy", strength: 0.2, keep_color: 0, feather: 0 });
  expect(withoutStyle(table, look, ["head"]).segments).toEqual({});
});

test("tau is logarithmic and ends in binary", () => {
  expect(tauAt(0)).toBe(0.5);
  expect(tauAt(1)).toBe(Number.POSITIVE_INFINITY);
  for (const tau of [0.5, 1, 3, 10, 20, Number.POSITIVE_INFINITY]) expect(tauAt(placeOfTau(tau))).toBe(tau);
});

test("layers are painted with fine faces where a head wears them, once for all its segments", () => {
  const wearing = (segments: Record<string, string>): Look =>
    Object.entries(segments).reduce((look, [name, style]) => withStyle(table, look, [name], style), EMPTY_LOOK);
  const { parts, needed } = plan(table, wearing({ background: "wave", hair: "wave", clothes: "candy", lips: "#f00" }), 200);
  expect([...needed.values()].map(({ style, fine }) => [style, fine])).toEqual([["wave", true], ["candy", false]]);
  expect(parts.map(({ name, kind }) => [name, kind])).toEqual([
    ["background", "layer"],
    ["clothes", "layer"],
    ["hair", "layer"],
    ["lips", "color"],
  ]);
  expect(parts[3]!.color).toEqual([255, 0, 0]);
});
