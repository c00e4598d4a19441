#version 300 es
// One channel of the masks, averaged over exact areas, before a wide blur.
precision highp float;
precision highp sampler2DArray;
uniform sampler2DArray masks;
uniform int part;
uniform vec2 scale; // source pixels per target pixel
out vec4 shrunk;

void main() {
  vec2 from = floor(gl_FragCoord.xy) * scale, to = from + scale;
  ivec2 size = textureSize(masks, 0).xy;
  ivec2 first = ivec2(from), last = min(ivec2(ceil(to - 1e-4)), size);
  float sum = 0.0, weights = 0.0;
  for (int y = first.y; y < last.y; y++) for (int x = first.x; x < last.x; x++) {
    vec2 cover = min(to, vec2(x + 1, y + 1)) - max(from, vec2(x, y));
    float weight = cover.x * cover.y;
    sum += weight * texelFetch(masks, ivec3(x, y, part / 4), 0)[part % 4];
    weights += weight;
  }
  shrunk = vec4(sum / weights);
}
