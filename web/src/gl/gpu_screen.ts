/** The artwork live on the GPU. */

import { reduced } from "./area";
import { Compositor, type Part } from "./compositor";
import { type GL, Pass, Targets, type Texture, openGraphics, release, texture } from "./device";
import { QUADS, Refiner, interleaved } from "./refine";
import type { Marks, Screen, View } from "./screen";
import displaySource from "./shaders/display.frag.glsl?raw";
import { LayerShelf } from "./shelf";

export class GpuScreen implements Screen {
  readonly live = true;
  private readonly gl: GL;
  private readonly targets: Targets;
  private readonly refiner: Refiner;
  private readonly compositor: Compositor;
  private readonly shelf: LayerShelf;
  private readonly display: Pass;
  private photo: Texture | null = null;
  private art: Texture | null = null;
  private octets: Uint8Array = new Uint8Array();
  private logits: Float32Array = new Float32Array();
  private biased: Float32Array = new Float32Array();
  private grid = { w: 0, h: 0 };
  private labels: Uint8Array | null = null;

  /** Throws NoGraphics where this browser cannot. */
  constructor(private readonly canvas: HTMLCanvasElement) {
    this.gl = openGraphics(canvas);
    this.targets = new Targets(this.gl);
    this.refiner = new Refiner(this.gl, this.targets);
    this.compositor = new Compositor(this.gl, this.targets);
    this.shelf = new LayerShelf(this.gl);
    this.display = new Pass(this.gl, displaySource);
  }

  setPhoto(octets: Uint8Array, width: number, height: number): void {
    const { gl } = this;
    release(gl, this.photo, this.art);
    this.octets = octets;
    const levels = 1 + Math.floor(Math.log2(Math.max(width, height, 2)));
    this.photo = texture(gl, gl.RGBA8, width, height, 0, levels);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, opaque(octets));
    gl.generateMipmap(gl.TEXTURE_2D);
    this.art = texture(gl, gl.RGBA8, width, height, 0, levels);
    this.setArt(octets);
    this.shelf.begin(width, height);
    this.labels = null;
    this.grid = { w: 0, h: 0 };
  }

  setLogits(planes: Float32Array, w: number, h: number): void {
    if (!this.photo) return;
    this.logits = interleaved(planes, w * h);
    this.biased = this.logits.slice();
    this.grid = { w, h };
    const { width, height } = this.photo;
    this.refiner.begin(reduced(this.octets, width, height, w, h), w, h, width, height);
    this.refine(0, h);
  }

  setCorrections(biases: Map<number, Int8Array>, top = 0, bottom = this.grid.h): void {
    const { w, h } = this.grid;
    if (!w) return;
    for (let quad = 0; quad < QUADS; quad++) {
      const from = (quad * h + top) * w * 4;
      const to = (quad * h + bottom) * w * 4;
      this.biased.set(this.logits.subarray(from, to), from);
    }
    for (const [k, bias] of biases) {
      const base = (k >> 2) * h * w * 4 + (k & 3);
      for (let i = top * w; i < bottom * w; i++) this.biased[base + i * 4]! += bias[i]! / 8;
    }
    this.refine(top, bottom);
  }

  private refine(top: number, bottom: number): void {
    this.refiner.update(this.biased, this.photo!, top, bottom);
    this.labels = null;
  }

  hasLayer(key: string): boolean {
    return this.shelf.has(key);
  }

  layers(): string[] {
    return this.shelf.keys();
  }

  setLayer(key: string, octets: Uint8Array): void {
    this.shelf.put(key, octets);
  }

  compose(parts: Part[], tau: number): void {
    const { gl, refiner, shelf } = this;
    if (!this.art || !this.photo || !refiner.refined) return;
    this.compositor.draw(this.art, this.photo, refiner.refined, shelf.array, (key) => shelf.slot(key), parts, tau);
    gl.bindTexture(gl.TEXTURE_2D, this.art.handle);
    gl.generateMipmap(gl.TEXTURE_2D);
  }

  setArt(octets: Uint8Array): void {
    const { gl, art } = this;
    if (!art || octets.length !== art.width * art.height * 3) return;
    gl.bindTexture(gl.TEXTURE_2D, art.handle);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, art.width, art.height, gl.RGBA, gl.UNSIGNED_BYTE, opaque(octets));
    gl.generateMipmap(gl.TEXTURE_2D);
  }

  show(view: View, marks: Marks): void {
    const { gl, canvas, photo, art } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!photo || !art) return;
    const dense = canvas.width / Math.max(1, canvas.clientWidth);
    this.display.use(
      { art, photo, labels: this.refiner.labels ?? photo },
      {
        origin: [view.x * dense, view.y * dense],
        scale: view.scale * dense,
        screenHeight: canvas.height,
        divider: marks.divider,
        hovered: marks.hovered,
        selected: marks.selected,
        ink: this.refiner.labels ? marks.ink : 0,
        accent: marks.accent,
        thickness: 1.6 * dense,
      },
    );
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  private labelMap(): Uint8Array | null {
    if (!this.labels && this.refiner.labels) this.labels = this.targets.read(this.refiner.labels);
    return this.labels;
  }

  classAt(x: number, y: number): number {
    if (!this.photo) return -1;
    const { width, height } = this.photo;
    if (x < 0 || y < 0 || x >= width || y >= height) return -1;
    return this.labelMap()?.[(Math.floor(y) * width + Math.floor(x)) * 4] ?? -1;
  }

  present(): number {
    const map = this.labelMap();
    const counts = new Uint32Array(32);
    if (map) for (let i = 0; i < map.length; i += 4) counts[map[i]! & 31]!++;
    const least = (map?.length ?? 0) / 4 / 20_000;
    return counts.reduce((out, count, k) => (count > least ? out | (1 << k) : out), 0);
  }

  read(): Uint8Array {
    if (!this.art) return new Uint8Array();
    const rgba = this.targets.read(this.art);
    const out = new Uint8Array((rgba.length / 4) * 3);
    for (let i = 0, j = 0; j < rgba.length; i += 3, j += 4) {
      out[i] = rgba[j]!;
      out[i + 1] = rgba[j + 1]!;
      out[i + 2] = rgba[j + 2]!;
    }
    return out;
  }

  dispose(): void {
    this.refiner.dispose();
    this.compositor.dispose();
    release(this.gl, this.photo, this.art, this.shelf.array);
  }
}

/** RGB octets with full opacity added. */
export function opaque(rgb: Uint8Array): Uint8Array {
  const out = new Uint8Array((rgb.length / 3) * 4).fill(255);
  for (let i = 0, j = 0; i < rgb.length; i += 3, j += 4) {
    out[j] = rgb[i]!;
    out[j + 1] = rgb[i + 1]!;
    out[j + 2] = rgb[i + 2]!;
  }
  return out;
}
