/** Painted layers on the graphics card: one array texture that grows, the layer not used for longest goes first. */

import { type GL, type Texture, release, texture } from "./device";

const MOST_BYTES = 160_000_000;

export class LayerShelf {
  private slots: (string | null)[] = [];
  private used = new Map<string, number>();
  private clock = 0;
  array: Texture;

  constructor(
    private readonly gl: GL,
    private readonly frame: WebGLFramebuffer = gl.createFramebuffer(),
  ) {
    this.array = texture(gl, gl.RGBA8, 1, 1, 1);
  }

  begin(width: number, height: number): void {
    release(this.gl, this.array);
    this.array = texture(this.gl, this.gl.RGBA8, width, height, 2);
    this.slots = [null, null];
    this.used.clear();
  }

  has(key: string): boolean {
    return this.used.has(key);
  }

  /** Keys held, the last used first. */
  keys(): string[] {
    return [...this.used].sort((a, b) => b[1] - a[1]).map(([key]) => key);
  }

  slot(key: string): number {
    if (!this.used.has(key)) return -1;
    this.used.set(key, ++this.clock);
    return this.slots.indexOf(key);
  }

  /** RGB octets (height, width, 3) of a layer. */
  put(key: string, octets: Uint8Array): void {
    const { gl } = this;
    let place = this.slots.indexOf(key);
    if (place < 0) place = this.slots.indexOf(null);
    if (place < 0) place = this.grown() ? this.slots.indexOf(null) : this.evicted();
    const { width, height } = this.array;
    const rgba = new Uint8Array(width * height * 4).fill(255);
    for (let i = 0, j = 0; i < octets.length; i += 3, j += 4) {
      rgba[j] = octets[i]!;
      rgba[j + 1] = octets[i + 1]!;
      rgba[j + 2] = octets[i + 2]!;
    }
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.array.handle);
    gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, 0, place, width, height, 1, gl.RGBA, gl.UNSIGNED_BYTE, rgba);
    this.slots[place] = key;
    this.used.set(key, ++this.clock);
  }

  private grown(): boolean {
    const { gl, array } = this;
    const layers = this.slots.length * 2;
    if (layers * array.width * array.height * 4 > MOST_BYTES && this.slots.length >= 4) return false;
    const larger = texture(gl, gl.RGBA8, array.width, array.height, layers);
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, this.frame);
    for (let i = 0; i < this.slots.length; i++) {
      gl.framebufferTextureLayer(gl.READ_FRAMEBUFFER, gl.COLOR_ATTACHMENT0, array.handle, 0, i);
      gl.bindTexture(gl.TEXTURE_2D_ARRAY, larger.handle);
      gl.copyTexSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, 0, i, 0, 0, array.width, array.height);
    }
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, null);
    release(gl, array);
    this.array = larger;
    this.slots.push(...Array<null>(layers - this.slots.length).fill(null));
    return true;
  }

  private evicted(): number {
    const [oldest] = [...this.used].sort((a, b) => a[1] - b[1])[0]!;
    const place = this.slots.indexOf(oldest);
    this.used.delete(oldest);
    this.slots[place] = null;
    return place;
  }
}
