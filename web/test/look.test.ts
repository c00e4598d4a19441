import { expect, test } from "vitest";
import { EMPTY_LOOK, fromData, fromText, placeOfTau, tauAt, toToml, toWire, withKnobs, withStyle, withoutStyle } from "../src/look";
import { plan } from "../src/parts";
import { segmentTable } from "../src/segments";
import type { Info, Look } from "../src/types";
import { canonical, read } from "../src/schema";
import { likeness, nearest } from "../src/sentences";
import { named, partsOf } from "../src/style_names";
import { LOOK_OPTIONS } from "../src/generated";
import assigned from "./assigned.json";
import shared from "./looks.json";
import plans from "./plans.json";

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
    expect(() => fromText(text, table), text).toThrow(/^[^\n]+[.?]$/);
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

// Written by tools/make_types.py from what the library reads; a Python test keeps it so.
const cases = shared.cases as { data: unknown; look?: unknown; refused?: string }[];

/** Python writes True where JSON has true, so what was given is not compared. */
const worded = (sentence: string) => sentence.split(", not ")[0];

test.each(cases.filter((one) => one.look).map((one) => [JSON.stringify(one.data), one] as const))("as the library reads it: %s", (text, one) => {
  const look = fromText(text, table);
  expect(toWire(look)).toEqual(one.look);
  expect(fromText(toToml(look), table)).toEqual(look);
});

test.each(cases.filter((one) => one.refused).map((one) => [JSON.stringify(one.data), one] as const))("refused as the library does it: %s", (_, one) => {
  let said = "";
  try {
    fromData(one.data, table);
  } catch (error) {
    said = (error as Error).message;
  }
  expect(worded(said)).toBe(worded(one.refused!));
});

test.each(shared.styles)("the style %s is %s", (written, name) => {
  expect(named(written!)).toBe(name);
  expect(named(name!)).toBe(name);
});

test("parts of a mix", () => {
  expect(partsOf("candy:0.6+wave:0.4")).toEqual([{ style: "candy", weight: 0.6 }, { style: "wave", weight: 0.4 }]);
  expect(partsOf("style:12345")).toEqual([{ style: "style:12345", weight: 1 }]);
  expect(named("style:12345")).toBe("style:12345");
  expect(named("style:12345:3+candy:1")).toBe("candy:0.25+style:12345:0.75");
  expect(named("me.jpg+candy")).toBe("candy:0.5+me.jpg:0.5");
  expect(partsOf("#ff0000")).toEqual([{ style: "#ff0000", weight: 1 }]);
});

test("the nearest name is the one that Python's difflib finds", () => {
  expect(likeness("private", "volatile")).toBeCloseTo(0.5333, 4);
  expect(likeness("", "")).toBe(1);
  expect(nearest("stary-nigth", ["candy", "starry-night", "starry"])).toBe("starry-night");
  expect(nearest("qqqq", ["candy"])).toBeNull();
  expect(() => canonical(table, "clohtes")).toThrow("did you mean 'clothes'?");
  expect(() => read(LOOK_OPTIONS.tau, Number.NaN)).not.toThrow();
});

const KINDS: Record<string, string> = { preset: "layer", mix: "layer", color: "color", blur: "blur", grey: "grey", original: "none" };

test.each(plans.map((one) => [JSON.stringify(one.segments), one] as const))("a look becomes the parts of the library's plan: %s", (_, one) => {
  const { parts } = plan(table, fromData({ segments: one.segments }, table), 100);
  expect(parts.map(({ name, classes, style, kind, strength, keepColor, feather }) => ({ name, classes, style, kind, strength, keepColor, feather }))).toEqual(
    one.plan.map(({ name, classes, style, kind, strength, keep_color, feather }) => ({
      name, classes, style, kind: KINDS[kind], strength, keepColor: keep_color, feather,
    })),
  );
  const colors = one.plan.filter(({ kind }) => kind === "color").map(({ color }) => color);
  expect(parts.filter(({ kind }) => kind === "color").map((part) => part.color)).toEqual(colors);
});
