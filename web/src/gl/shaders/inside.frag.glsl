#version 300 es
// Normalised convolution, before: the photo's light inside a part, and the share of the part.
precision highp float;
precision highp sampler2D;
precision highp sampler2DArray;
uniform sampler2D photo;
uniform sampler2DArray masks;
uniform int part;
uniform int parts;
uniform bool feathered;
uniform vec2 scale; // source pixels per target pixel
out vec4 light;

float mask(ivec2 at) {
  float own = texelFetch(masks, ivec3(at, part / 4), 0)[part % 4];
  if (!feathered) return own;
  float total = 0.0;
  for (int s = 0; s <= parts; s++) total += texelFetch(masks, ivec3(at, s / 4), 0)[s % 4];
  return own / max(total, 1e-6);
}

void main() {
  vec2 from = floor(gl_FragCoord.xy) * scale, to = from + scale;
  ivec2 size = textureSize(photo, 0);
  ivec2 first = ivec2(from), last = min(ivec2(ceil(to - 1e-4)), size);
  vec4 sum = vec4(0.0);
  float weights = 0.0;
  for (int y = first.y; y < last.y; y++) for (int x = first.x; x < last.x; x++) {
    vec2 cover = min(to, vec2(x + 1, y + 1)) - max(from, vec2(x, y));
    float weight = cover.x * cover.y;
    sum += weight * vec4(texelFetch(photo, ivec2(x, y), 0).rgb, mask(ivec2(x, y)));
    weights += weight;
  }
  sum /= weights;
  float inside = sum.a * sum.a + 1e-4;
  light = vec4(sum.rgb * inside, inside);
}
