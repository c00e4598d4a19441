import { expect, test } from "vitest";
import { base64, fromBase64 } from "../src/api";
import { copied, dab, tidied } from "../src/brush";
import { reduced } from "../src/gl/area";
import { floatsFromHalves } from "../src/half";
import { begin, record, redo, settle, undo } from "../src/history";
import { contained, fit, zoomed } from "../src/viewport";

test("undo and redo", () => {
  let history = record(record(begin(1), 2), 3);
  history = undo(undo(history));
  expect(history.present).toBe(1);
  expect(undo(history)).toBe(history);
  expect(redo(redo(history)).present).toBe(3);
  history = record(redo(history), 9);
  expect(history.present).toBe(9);
  expect(history.future).toEqual([]);
});

test("a dragged slider is one step until it is released", () => {
  let history = record(record(record(begin(0), 1, "tau"), 2, "tau"), 3, "tau");
  expect(undo(history).present).toBe(0);
  history = record(settle(history), 4, "tau");
  expect(undo(history).present).toBe(3);
});

test("half floats", () => {
  const bits = [0x0000, 0x3c00, 0xc000, 0x3555, 0x7bff, 0x0001, 0x8400, 0xfc00, 0xd500];
  const values = [0, 1, -2, 0.333251953125, 65504, 2 ** -24, -(2 ** -14), Number.NEGATIVE_INFINITY, -80];
  expect([...floatsFromHalves(new Uint16Array(bits).buffer)]).toEqual(values);
});

test("corrections survive the wire", () => {
  const bias = Int8Array.from({ length: 70_000 }, (_, i) => (i * 37) % 256);
  expect(fromBase64(base64(bias))).toEqual(bias);
});

test("areas are averaged exactly", () => {
  const octets = Uint8Array.from({ length: 3 * 2 * 3 }, (_, i) => i * 10);
  const [r, g, b, one] = reduced(octets, 3, 2, 1, 1);
  expect([r, g, b].map((value) => Math.round(value! * 255))).toEqual([75, 85, 95]);
  expect(one).toBe(1);
  const halves = reduced(new Uint8Array([0, 0, 0, 90, 90, 90, 180, 180, 180]), 3, 1, 2, 1);
  expect([halves[0]! * 255, halves[4]! * 255].map(Math.round)).toEqual([30, 150]);
});

const NAMES = ["background", "hair", "skin"];

test("the brush makes a class win, and lose", () => {
  // Hair is 30 logits behind: more than a correction of one class can hold.
  const planes = Float32Array.from([...Array(25).fill(0), ...Array(25).fill(-30), ...Array(25).fill(-3)]);
  const canvas = { w: 5, h: 5, planes };
  const corrections = copied({}, NAMES, 25);
  expect(dab(corrections, canvas, NAMES, 1, "add", 2.5, 2.5, 1.2)).toEqual([1, 5]);
  const winner = (at: number) => {
    const logits = NAMES.map((name, k) => planes[k * 25 + at]! + corrections[name]![at]! / 8);
    return logits.indexOf(Math.max(...logits));
  };
  expect([winner(12), winner(7), winner(0)]).toEqual([1, 1, 0]);
  dab(corrections, canvas, NAMES, 1, "remove", 2.5, 2.5, 0.6);
  expect([winner(12), winner(7)]).not.toContain(-1);
  expect(winner(12)).not.toBe(1);
  expect(winner(7)).toBe(1);
  expect(Object.keys(tidied(copied({}, NAMES, 25)))).toEqual([]);
});

test("zooming keeps the point under the pointer and the picture in sight", () => {
  const room = { width: 400, height: 300 };
  const picture = { width: 200, height: 200 };
  const fitted = fit(room, picture, 10);
  expect(fitted).toEqual({ scale: 1.4, x: 60, y: 10 });
  const near = zoomed(fitted, 3, 100, 50, fitted);
  expect((100 - near.x) / near.scale).toBeCloseTo((100 - fitted.x) / fitted.scale);
  expect(contained({ ...near, x: 500, y: -5000 }, room, picture, 10)).toMatchObject({ x: 10, y: expect.closeTo(-550) });
  expect(zoomed(fitted, 0.1, 0, 0, fitted).scale).toBe(fitted.scale);
});
