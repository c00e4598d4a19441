#version 300 es
// Eq. 6: the layers of all parts over the photo.
precision highp float;
precision highp sampler2D;
precision highp sampler2DArray;
uniform sampler2D photo;
uniform sampler2DArray masks;
uniform sampler2DArray layers;
uniform sampler2DArray blurs; // light and share, not divided yet
uniform int parts;
uniform bool feathered;
uniform int kinds[20]; // 0 nothing, 1 layer, 2 grey, 3 colour, 4 blur
uniform int slots[20];
uniform vec3 colors[20];
uniform vec2 knobs[20]; // strength, keep colour
out vec4 art;

const mat3 TO_LMS = mat3(
  0.4122214708, 0.2119034982, 0.0883024619,
  0.5363325363, 0.6806995451, 0.2817188376,
  0.0514459929, 0.1073969566, 0.6299787005);
const mat3 TO_LAB = mat3(
  0.2104542553, 1.9779984951, 0.0259040371,
  0.7936177850, -2.4285922050, 0.7827717662,
  -0.0040720468, 0.4505937099, -0.8086757660);
const mat3 FROM_LAB = mat3(
  1.0, 1.0, 1.0,
  0.3963377774, -0.1055613458, -0.0894841850,
  0.2158037573, -0.0638541728, -1.2914855480);
const mat3 FROM_LMS = mat3(
  4.0767421722, -1.2684381008, -0.0041960552,
  -3.3077120781, 2.6097576618, -0.7034186721,
  0.2309699804, -0.3413194120, 1.7076146603);

vec3 oklab(vec3 srgb) {
  vec3 bent = pow((max(srgb, 0.0) + 0.055) / 1.055, vec3(2.4));
  vec3 linear = mix(bent, srgb / 12.92, lessThanEqual(srgb, vec3(0.04045)));
  return TO_LAB * pow(max(TO_LMS * linear, 1e-12), vec3(1.0 / 3.0));
}

vec3 srgb(vec3 lab) {
  vec3 lms = FROM_LAB * lab;
  vec3 linear = clamp(FROM_LMS * (lms * lms * lms), 0.0, 1.0);
  vec3 bent = 1.055 * pow(max(linear, 1e-8), vec3(1.0 / 2.4)) - 0.055;
  return clamp(mix(bent, linear * 12.92, lessThanEqual(linear, vec3(0.0031308))), 0.0, 1.0);
}

vec4 cubic(float t) {
  const float a = -0.75;
  vec2 n = vec2(t, 1.0 - t), d = n + 1.0;
  vec2 near = ((a + 2.0) * n - (a + 3.0)) * n * n + 1.0;
  vec2 far = a * (((d - 5.0) * d + 8.0) * d - 4.0);
  return vec4(far.x, near.x, near.y, far.y);
}

vec3 blurred(int slot, ivec2 at) {
  ivec2 small = textureSize(blurs, 0).xy;
  vec2 place = (vec2(at) + 0.5) * vec2(small) / vec2(textureSize(photo, 0)) - 0.5;
  ivec2 base = ivec2(floor(place));
  vec4 wx = cubic(place.x - float(base.x)), wy = cubic(place.y - float(base.y));
  vec3 sum = vec3(0.0);
  for (int y = 0; y < 4; y++) for (int x = 0; x < 4; x++) {
    vec4 light = texelFetch(blurs, ivec3(clamp(base + ivec2(x, y) - 1, ivec2(0), small - 1), slot), 0);
    sum += wx[x] * wy[y] * clamp(light.rgb / light.a, 0.0, 1.0);
  }
  return clamp(sum, 0.0, 1.0);
}

vec3 worn(int s, vec3 content, ivec2 at) {
  int kind = kinds[s];
  vec3 layer = content;
  if (kind == 1) layer = texelFetch(layers, ivec3(at, slots[s]), 0).rgb;
  else if (kind == 2) layer = srgb(vec3(oklab(content).x, 0.0, 0.0));
  else if (kind == 3) layer = colors[s];
  else if (kind == 4) layer = blurred(slots[s], at);
  if (knobs[s].y > 0.0) {
    vec3 styled = oklab(layer);
    layer = srgb(vec3(styled.x, mix(styled.yz, oklab(content).yz, knobs[s].y)));
  }
  return layer;
}

void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  vec3 content = texelFetch(photo, at, 0).rgb, sum = vec3(0.0);
  float total = 0.0;
  for (int quad = 0; quad * 4 <= parts; quad++) {
    vec4 mask = texelFetch(masks, ivec3(at, quad), 0);
    for (int i = 0; i < 4; i++) {
      int s = quad * 4 + i;
      if (s > parts) break;
      total += mask[i];
      float weight = s < parts && kinds[s] > 0 ? knobs[s].x * mask[i] : 0.0;
      if (weight > 0.0) sum += weight * (worn(s, content, at) - content);
    }
  }
  // Only feathering takes the masks off their sum of 1.
  art = vec4(content + (feathered ? sum / max(total, 1e-6) : sum), 1.0);
}
