/** What every way of showing the artwork offers: the GPU's, and the plain canvas where the server composites. */

import type { Part } from "./compositor";

/** How the picture lies on the screen, in CSS pixels. */
export interface View {
  x: number;
  y: number;
  /** CSS pixels per pixel of the preview. */
  scale: number;
}

export interface Marks {
  /** Left of this share of the picture the photo is seen: 0 none, 1 all of it. */
  divider: number;
  /** Classes pointed at and selected, as bits. */
  hovered: number;
  selected: number;
  /** 0..1: how much of the selection's outline is seen. */
  ink: number;
  accent: [number, number, number];
}

export interface Screen {
  readonly live: boolean;
  setPhoto(octets: Uint8Array, width: number, height: number): void;
  /** Logits as planes (19, h, w). */
  setLogits(planes: Float32Array, w: number, h: number): void;
  /** Bias of each class by index, (h, w) in 1/8 logit; rows that changed. */
  setCorrections(biases: Map<number, Int8Array>, top?: number, bottom?: number): void;
  hasLayer(key: string): boolean;
  layers(): string[];
  setLayer(key: string, octets: Uint8Array): void;
  compose(parts: Part[], tau: number): void;
  /** Put a finished picture (height, width, 3) in place of the composite. */
  setArt(octets: Uint8Array): void;
  show(view: View, marks: Marks): void;
  /** Class at a pixel of the preview. */
  classAt(x: number, y: number): number;
  /** Classes seen anywhere, as bits. */
  present(): number;
  /** The composite, RGB octets (height, width, 3). */
  read(): Uint8Array;
  dispose(): void;
}
