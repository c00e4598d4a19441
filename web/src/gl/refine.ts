/** Logits at the photo's resolution, their edges snapped to the photo's: the guided filter on the GPU. */

import { type GL, Pass, type Targets, type Texture, release, texture } from "./device";
import fitColumns from "./shaders/fit_columns.frag.glsl?raw";
import fitRows from "./shaders/fit_rows.frag.glsl?raw";
import guideSource from "./shaders/guide.frag.glsl?raw";
import labelsSource from "./shaders/labels.frag.glsl?raw";
import meanSource from "./shaders/mean.frag.glsl?raw";
import upsampleSource from "./shaders/upsample.frag.glsl?raw";

const EPS = 2e-3;
export const QUADS = 5;

/** Planes (19, h, w) as five pictures of four channels (5, h, w, 4); the twentieth class never wins. */
export function interleaved(planes: Float32Array, area: number): Float32Array {
  const out = new Float32Array(QUADS * area * 4).fill(-1e4);
  const classes = planes.length / area;
  for (let k = 0; k < classes; k++) {
    const from = k * area;
    const to = (k >> 2) * area * 4 + (k & 3);
    for (let i = 0; i < area; i++) out[to + i * 4] = planes[from + i]!;
  }
  return out;
}

export class Refiner {
  private readonly passes;
  private readonly small: Texture[] = [];
  private guide: Texture | null = null;
  private signal: Texture | null = null;
  private stats: Texture[] = [];
  refined: Texture | null = null;
  labels: Texture | null = null;

  constructor(
    private readonly gl: GL,
    private readonly targets: Targets,
  ) {
    this.passes = {
      guide: new Pass(gl, guideSource),
      rows: new Pass(gl, fitRows),
      columns: new Pass(gl, fitColumns),
      mean: new Pass(gl, meanSource),
      upsample: new Pass(gl, upsampleSource),
      labels: new Pass(gl, labelsSource),
    };
  }

  /** A new photo: its reduced copy (h, w, 4) that guides, and the sizes. */
  begin(guide: Float32Array, w: number, h: number, width: number, height: number): void {
    const gl = this.gl;
    this.dispose();
    this.guide = texture(gl, gl.RGBA32F, w, h);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, w, h, gl.RGBA, gl.FLOAT, guide);
    this.signal = texture(gl, gl.RGBA32F, w, h, QUADS);
    this.stats = [0, 1, 2].map(() => texture(gl, gl.RGBA32F, w, h));
    for (let i = 0; i < 8; i++) this.small.push(texture(gl, gl.RGBA32F, w, h));
    // Half floats differ where two classes tie to a thousandth; a phone's memory is worth more.
    const format = matchMedia("(pointer: coarse)").matches ? gl.RGBA16F : gl.RGBA32F;
    this.refined = texture(gl, format, width, height, QUADS);
    this.labels = texture(gl, gl.RGBA8, width, height);
    this.passes.guide.use({ guide: this.guide }, { eps: EPS });
    this.targets.draw(this.stats);
  }

  /** Replace some rows of the interleaved logits (5, h, w, 4), and filter again. */
  update(logits: Float32Array, photo: Texture, top = 0, bottom = this.signal?.height ?? 0): void {
    const { gl, targets, passes, small, guide, signal, refined, labels } = this;
    if (!guide || !signal || !refined || !labels) return;
    const stride = signal.width * 4;
    gl.bindTexture(signal.target, signal.handle);
    for (let quad = 0; quad < QUADS; quad++) {
      const from = (quad * signal.height + top) * stride;
      const rows = logits.subarray(from, from + (bottom - top) * stride);
      gl.texSubImage3D(signal.target, 0, 0, top, quad, signal.width, bottom - top, 1, gl.RGBA, gl.FLOAT, rows);
    }
    const [meanAndRR, rgRbGgGb, bb] = this.stats as [Texture, Texture, Texture];
    const [a, b] = [small.slice(0, 4), small.slice(4)];
    const named = (four: Texture[]) => ({ p0: four[0]!, p1: four[1]!, p2: four[2]!, p3: four[3]! });
    for (let quad = 0; quad < QUADS; quad++) {
      passes.rows.use({ guide, signal }, { quad });
      targets.draw(a);
      passes.columns.use({ ...named(a), meanAndRR, rgRbGgGb, bb });
      targets.draw(b);
      passes.mean.use(named(b), { along: [1, 0] });
      targets.draw(a);
      passes.mean.use(named(a), { along: [0, 1] });
      targets.draw(b);
      passes.upsample.use({ ...named(b), photo });
      targets.draw([refined], quad);
    }
    passes.labels.use({ logits: refined });
    targets.draw([labels]);
  }

  dispose(): void {
    release(this.gl, this.guide, this.signal, this.refined, this.labels, ...this.stats, ...this.small);
    this.guide = this.signal = this.refined = this.labels = null;
    this.stats = [];
    this.small.length = 0;
  }
}
