/** Masks of the parts, their feather, and the layers over the photo: eq. 5 to 9 on the GPU. */

import { type GL, Pass, type Targets, type Texture, release, texture } from "./device";
import blurSource from "./shaders/blur.frag.glsl?raw";
import compositeSource from "./shaders/composite.frag.glsl?raw";
import enlargeSource from "./shaders/enlarge.frag.glsl?raw";
import insideSource from "./shaders/inside.frag.glsl?raw";
import masksSource from "./shaders/masks.frag.glsl?raw";
import shrinkSource from "./shaders/shrink.frag.glsl?raw";

/** What some classes wear. The sets of all parts are disjoint. */
export interface Part {
  classes: number[];
  /** "layer" needs `layer`, "color" needs `color`. */
  kind: "none" | "layer" | "grey" | "color" | "blur";
  layer?: string;
  color?: [number, number, number];
  strength: number;
  keepColor: number;
  /** Standard deviation in pixels of the preview. */
  feather: number;
}

const MOST = 20;
const KINDS = { none: 0, layer: 1, grey: 2, color: 3, blur: 4 };
const BLUR_SIDE = 768;
const BLUR_OF_SHORT_SIDE = 0.02;
/** A Gaussian this many pixels wide or wider is computed on a smaller copy: the difference is below 1/255. */
const WIDE = 14;

/** Taps on each side of a Gaussian kernel, as OpenCV chooses them for floats. */
export function reachOf(sigma: number): number {
  return (Math.round(sigma * 8 + 1) | 1) >> 1;
}

export class Compositor {
  private readonly passes;
  private masks: Texture | null = null;
  private temporary: Texture[] = [];
  private blurs: Texture | null = null;

  constructor(
    private readonly gl: GL,
    private readonly targets: Targets,
  ) {
    this.passes = {
      masks: new Pass(gl, masksSource),
      shrink: new Pass(gl, shrinkSource),
      blur: new Pass(gl, blurSource),
      enlarge: new Pass(gl, enlargeSource),
      inside: new Pass(gl, insideSource),
      composite: new Pass(gl, compositeSource),
    };
  }

  /** Draw into `art` what the parts wear. `slotOf` gives a layer's place in `layers`, or -1 while it is not there. */
  draw(
    art: Texture,
    photo: Texture,
    refined: Texture,
    layers: Texture,
    slotOf: (key: string) => number,
    parts: Part[],
    tau: number,
  ): void {
    const { targets } = this;
    // As in the library: a very large tau must not overflow.
    this.makeMasks(refined, parts, Number.isFinite(tau) ? Math.min(tau, 1e30) : tau);
    const feathered = parts.some((part) => part.feather > 0);
    if (feathered) this.makeFeather(parts);
    const blurred = parts.flatMap((part, index) => (part.kind === "blur" ? [index] : []));
    this.makeBlurs(photo, blurred, parts.length, feathered);
    const kinds = new Int32Array(MOST);
    const slots = new Int32Array(MOST);
    const colors = new Float32Array(MOST * 3);
    const knobs = new Float32Array(MOST * 2);
    parts.forEach((part, index) => {
      slots[index] = part.kind === "layer" ? slotOf(part.layer ?? "") : Math.max(0, blurred.indexOf(index));
      kinds[index] = slots[index]! < 0 ? KINDS.none : KINDS[part.kind];
      colors.set((part.color ?? [0, 0, 0]).map((c) => c / 255), index * 3);
      knobs.set([part.strength, part.keepColor], index * 2);
    });
    const inputs = { photo, masks: this.masks!, layers, blurs: this.blurs ?? layers };
    this.passes.composite.use(inputs, { parts: parts.length, feathered, kinds, slots, colors, knobs });
    targets.draw([art]);
  }

  private makeMasks(refined: Texture, parts: Part[], tau: number): void {
    const { gl, targets } = this;
    const quads = (parts.length + 4) >> 2;
    const { width, height } = refined;
    if (!this.masks || this.masks.layers < quads || this.masks.width !== width || this.masks.height !== height) {
      release(gl, this.masks);
      this.masks = texture(gl, gl.RGBA16F, width, height, quads);
    }
    const partOf = new Int32Array(MOST).fill(parts.length);
    parts.forEach((part, index) => {
      for (const k of part.classes) partOf[k] = index;
    });
    for (let quad = 0; quad < quads; quad++) {
      const shares = new Float32Array(5 * 16);
      partOf.forEach((part, k) => {
        if (part >> 2 === quad) shares[k * 4 + (part & 3)] = 1;
      });
      this.passes.masks.use({ logits: refined }, { tau: Number.isFinite(tau) ? tau : 0, shares });
      targets.draw([this.masks], quad);
    }
  }

  private makeFeather(parts: Part[]): void {
    const { gl, targets, passes } = this;
    const masks = this.masks!;
    parts.forEach(({ feather }, part) => {
      if (feather <= 0) return;
      const factor = Math.max(1, feather / WIDE);
      const w = Math.max(1, Math.round(masks.width / factor));
      const h = Math.max(1, Math.round(masks.height / factor));
      const scale = [masks.width / w, masks.height / h] as const;
      const [a, b] = this.pair(gl.R16F, w, h);
      passes.shrink.use({ masks }, { part, scale });
      targets.draw([a]);
      // Averaging and enlarging blur a little themselves.
      const sigma = scale.map((s) => Math.sqrt(Math.max(1e-4, (feather / s) ** 2 - (s > 1 ? 0.25 : 0))));
      this.gauss(a, b, sigma[0]!, sigma[1]!);
      passes.enlarge.use({ source: a }, { scale: [1 / scale[0], 1 / scale[1]] });
      gl.colorMask(part % 4 === 0, part % 4 === 1, part % 4 === 2, part % 4 === 3);
      targets.draw([masks], part >> 2);
      gl.colorMask(true, true, true, true);
    });
  }

  private makeBlurs(photo: Texture, blurred: number[], parts: number, feathered: boolean): void {
    if (!blurred.length) return;
    const { gl, targets, passes } = this;
    const factor = Math.min(1, BLUR_SIDE / Math.max(photo.width, photo.height));
    const w = Math.max(1, Math.round(photo.width * factor));
    const h = Math.max(1, Math.round(photo.height * factor));
    if (!this.blurs || this.blurs.width !== w || this.blurs.height !== h || this.blurs.layers < blurred.length) {
      release(gl, this.blurs);
      this.blurs = texture(gl, gl.RGBA16F, w, h, blurred.length);
    }
    const sigma = Math.max(1, BLUR_OF_SHORT_SIDE * Math.min(w, h));
    const scale = [photo.width / w, photo.height / h];
    blurred.forEach((part, slot) => {
      const [a, b] = this.pair(gl.RGBA32F, w, h);
      passes.inside.use({ photo, masks: this.masks! }, { part, parts, feathered, scale });
      targets.draw([a]);
      passes.blur.use({ source: a }, { along: [1, 0], sigma, reach: reachOf(sigma) });
      targets.draw([b]);
      passes.blur.use({ source: b }, { along: [0, 1], sigma, reach: reachOf(sigma) });
      targets.draw([this.blurs!], slot);
    });
  }

  private gauss(a: Texture, b: Texture, sigmaX: number, sigmaY: number): void {
    const { targets, passes } = this;
    passes.blur.use({ source: a }, { along: [1, 0], sigma: sigmaX, reach: reachOf(sigmaX) });
    targets.draw([b]);
    passes.blur.use({ source: b }, { along: [0, 1], sigma: sigmaY, reach: reachOf(sigmaY) });
    targets.draw([a]);
  }

  private pair(format: number, width: number, height: number): [Texture, Texture] {
    release(this.gl, ...this.temporary);
    this.temporary = [0, 1].map(() => texture(this.gl, format, width, height));
    return this.temporary as [Texture, Texture];
  }

  dispose(): void {
    release(this.gl, this.masks, this.blurs, ...this.temporary);
    this.masks = this.blurs = null;
    this.temporary = [];
  }
}
