/** The least of WebGL2 that the passes need: programs, textures, targets. */

import coverSource from "./shaders/cover.vert.glsl?raw";

export type GL = WebGL2RenderingContext;

/** Thrown where this browser or graphics card cannot do what the page needs; the server composites then. */
export class NoGraphics extends Error {}

export function openGraphics(canvas: HTMLCanvasElement): GL {
  const gl = canvas.getContext("webgl2", { antialias: false, depth: false, alpha: true, powerPreference: "high-performance" });
  if (!gl) throw new NoGraphics("no WebGL2");
  // Both the logits and the filter's coefficients need more than half precision.
  if (!gl.getExtension("EXT_color_buffer_float")) throw new NoGraphics("no float targets");
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  gl.pixelStorei(gl.PACK_ALIGNMENT, 1);
  gl.bindVertexArray(gl.createVertexArray());
  return gl;
}

export interface Texture {
  handle: WebGLTexture;
  target: number;
  width: number;
  height: number;
  layers: number;
}

/** A 2D texture, or an array of them where layers > 0. */
export function texture(gl: GL, format: number, width: number, height: number, layers = 0, levels = 1): Texture {
  const target = layers ? gl.TEXTURE_2D_ARRAY : gl.TEXTURE_2D;
  const handle = gl.createTexture();
  gl.bindTexture(target, handle);
  if (layers) gl.texStorage3D(target, levels, format, width, height, layers);
  else gl.texStorage2D(target, levels, format, width, height);
  const smooth = levels > 1;
  gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, smooth ? gl.LINEAR_MIPMAP_LINEAR : gl.NEAREST);
  gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, smooth ? gl.LINEAR : gl.NEAREST);
  gl.texParameteri(target, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(target, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  return { handle, target, width, height, layers };
}

export function release(gl: GL, ...textures: (Texture | null | undefined)[]): void {
  for (const one of textures) if (one) gl.deleteTexture(one.handle);
}

export type Uniform = number | boolean | readonly number[] | Float32Array | Int32Array;

/** One pass: a fragment shader over the whole of its targets. */
export class Pass {
  private readonly program: WebGLProgram;
  private readonly kinds = new Map<string, { place: WebGLUniformLocation; type: number }>();

  constructor(
    private readonly gl: GL,
    fragment: string,
  ) {
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, coverSource], [gl.FRAGMENT_SHADER, fragment]] as const) {
      const shader = gl.createShader(type)!;
      gl.shaderSource(shader, source.trimStart());
      gl.compileShader(shader);
      gl.attachShader(program, shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) {
        throw new NoGraphics(`shader: ${gl.getShaderInfoLog(shader)}`);
      }
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new NoGraphics(`program: ${gl.getProgramInfoLog(program)}`);
    }
    this.program = program;
    const count = Number(gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS) ?? 0);
    for (let i = 0; i < count; i++) {
      const { name, type } = gl.getActiveUniform(program, i)!;
      this.kinds.set(name.replace("[0]", ""), { place: gl.getUniformLocation(program, name)!, type });
    }
  }

  /** Make it current with its inputs; then `cover` draws it into whatever targets are bound. */
  use(inputs: Record<string, Texture>, uniforms: Record<string, Uniform> = {}): void {
    const gl = this.gl;
    gl.useProgram(this.program);
    Object.entries(inputs).forEach(([name, input], unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(input.target, input.handle);
      const known = this.kinds.get(name);
      if (known) gl.uniform1i(known.place, unit);
    });
    for (const [name, value] of Object.entries(uniforms)) this.set(name, value);
  }

  private set(name: string, value: Uniform): void {
    const gl = this.gl;
    const known = this.kinds.get(name);
    if (!known) return;
    const list = typeof value === "number" || typeof value === "boolean" ? [Number(value)] : value;
    const { place, type } = known;
    if (type === gl.FLOAT) gl.uniform1fv(place, list);
    else if (type === gl.FLOAT_VEC2) gl.uniform2fv(place, list);
    else if (type === gl.FLOAT_VEC3) gl.uniform3fv(place, list);
    else if (type === gl.FLOAT_MAT4) gl.uniformMatrix4fv(place, false, list);
    else if (type === gl.INT || type === gl.BOOL) gl.uniform1iv(place, list as Int32List);
    else if (type === gl.INT_VEC2) gl.uniform2iv(place, list as Int32List);
    else if (type === gl.UNSIGNED_INT) gl.uniform1uiv(place, Array.from(list, (n) => n >>> 0));
  }
}

/** Textures to draw into, by one framebuffer that is used again and again. */
export class Targets {
  private readonly frame: WebGLFramebuffer;

  constructor(private readonly gl: GL) {
    this.frame = gl.createFramebuffer();
  }

  /** Draw the current pass into 2D textures, or into one layer of an array. */
  draw(into: Texture[], layer = 0): void {
    const gl = this.gl;
    this.bind(into, layer);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  bind(into: Texture[], layer = 0): void {
    const gl = this.gl;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.frame);
    for (let i = 0; i < 4; i++) {
      const one = into[i];
      if (one?.layers) gl.framebufferTextureLayer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + i, one.handle, 0, layer);
      else gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + i, gl.TEXTURE_2D, one?.handle ?? null, 0);
    }
    gl.drawBuffers(into.map((_, i) => gl.COLOR_ATTACHMENT0 + i));
    gl.viewport(0, 0, into[0]!.width, into[0]!.height);
  }

  /** Octets (height, width, 4) of an 8-bit texture, top row first. */
  read(from: Texture): Uint8Array {
    const gl = this.gl;
    this.bind([from]);
    const out = new Uint8Array(from.width * from.height * 4);
    gl.readPixels(0, 0, from.width, from.height, gl.RGBA, gl.UNSIGNED_BYTE, out);
    return out;
  }
}
