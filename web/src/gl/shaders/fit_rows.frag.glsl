#version 300 es
// Guided filter of four classes: sums along rows of the signal and of its products with the guide.
precision highp float;
precision highp sampler2D;
precision highp sampler2DArray;
uniform sampler2D guide;
uniform sampler2DArray signal;
uniform int quad;
layout(location = 0) out vec4 p;
layout(location = 1) out vec4 rp;
layout(location = 2) out vec4 gp;
layout(location = 3) out vec4 bp;
const int RADIUS = 3;

int mirrored(int i, int n) { return i < 0 ? -i - 1 : (i >= n ? 2 * n - 1 - i : i); }

void main() {
  ivec2 size = textureSize(guide, 0), at = ivec2(gl_FragCoord.xy);
  p = rp = gp = bp = vec4(0.0);
  for (int x = -RADIUS; x <= RADIUS; x++) {
    ivec2 place = ivec2(mirrored(at.x + x, size.x), at.y);
    vec3 c = texelFetch(guide, place, 0).rgb;
    vec4 s = texelFetch(signal, ivec3(place, quad), 0);
    p += s;
    rp += c.r * s;
    gp += c.g * s;
    bp += c.b * s;
  }
}
