/** The artwork on a plain canvas, for browsers without WebGL2: the server composites. */

import { opaque } from "./gpu_screen";
import type { Marks, Screen, View } from "./screen";

export class PlainScreen implements Screen {
  readonly live = false;
  private readonly pen: CanvasRenderingContext2D;
  private size = { width: 0, height: 0 };
  private photo: HTMLCanvasElement | null = null;
  private art: HTMLCanvasElement | null = null;
  private octets: Uint8Array = new Uint8Array();
  private planes: Float32Array = new Float32Array();
  private grid = { w: 0, h: 0 };
  private labels = new Uint8Array();
  private mark = { set: -1, image: null as HTMLCanvasElement | null };

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.pen = canvas.getContext("2d")!;
  }

  setPhoto(octets: Uint8Array, width: number, height: number): void {
    this.size = { width, height };
    this.photo = picture(opaque(octets), width, height);
    this.setArt(octets);
    this.grid = { w: 0, h: 0 };
    this.labels = new Uint8Array();
    this.mark.set = -1;
  }

  setLogits(planes: Float32Array, w: number, h: number): void {
    this.planes = planes;
    this.grid = { w, h };
    this.setCorrections(new Map());
  }

  setCorrections(biases: Map<number, Int8Array>): void {
    const area = this.grid.w * this.grid.h;
    const highest = new Float32Array(area).fill(-1e30);
    this.labels = new Uint8Array(area);
    this.mark.set = -1;
    for (let k = 0; k * area < this.planes.length; k++) {
      const bias = biases.get(k);
      for (let i = 0; i < area; i++) {
        const logit = this.planes[k * area + i]! + (bias ? bias[i]! / 8 : 0);
        if (logit > highest[i]!) {
          highest[i] = logit;
          this.labels[i] = k;
        }
      }
    }
  }

  hasLayer(): boolean {
    return true;
  }

  layers(): string[] {
    return [];
  }

  setLayer(): void {}

  compose(): void {}

  setArt(octets: Uint8Array): void {
    const { width, height } = this.size;
    if (octets.length !== width * height * 3) return;
    this.octets = octets;
    this.art = picture(opaque(octets), width, height);
  }

  show(view: View, marks: Marks): void {
    const { pen, canvas, photo, art } = this;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (!photo || !art) return;
    const dense = canvas.width / Math.max(1, canvas.clientWidth);
    pen.setTransform(view.scale * dense, 0, 0, view.scale * dense, view.x * dense, view.y * dense);
    pen.imageSmoothingQuality = "high";
    const { width, height } = this.size;
    pen.drawImage(art, 0, 0);
    const before = Math.round(width * marks.divider);
    if (before > 0) pen.drawImage(photo, 0, 0, before, height, 0, 0, before, height);
    const marked = marks.hovered || (marks.ink > 0.3 ? marks.selected : 0);
    if (marked) pen.drawImage(this.veil(marked), 0, 0, width, height);
  }

  /** A veil over all that is not in a set of classes. */
  private veil(set: number): HTMLCanvasElement {
    if (this.mark.set !== set || !this.mark.image) {
      const rgba = new Uint8Array(this.labels.length * 4);
      this.labels.forEach((k, i) => {
        if (!((set >> k) & 1)) rgba.set([128, 128, 128, 110], i * 4);
      });
      this.mark = { set, image: picture(rgba, this.grid.w, this.grid.h) };
    }
    return this.mark.image!;
  }

  classAt(x: number, y: number): number {
    const { width, height } = this.size;
    if (x < 0 || y < 0 || x >= width || y >= height) return -1;
    const { w, h } = this.grid;
    return this.labels[Math.floor((y / height) * h) * w + Math.floor((x / width) * w)] ?? -1;
  }

  present(): number {
    const counts = new Uint32Array(32);
    for (const k of this.labels) counts[k & 31]!++;
    return counts.reduce((out, count, k) => (count > this.labels.length / 20_000 ? out | (1 << k) : out), 0);
  }

  read(): Uint8Array {
    return this.octets;
  }

  dispose(): void {}
}

function picture(rgba: Uint8Array, width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")!.putImageData(new ImageData(new Uint8ClampedArray(rgba), width, height), 0, 0);
  return canvas;
}
