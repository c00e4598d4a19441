#version 300 es
// Guided filter: mean of the coefficients along rows or columns.
precision highp float;
precision highp sampler2D;
uniform sampler2D p0, p1, p2, p3;
uniform ivec2 along;
layout(location = 0) out vec4 q0;
layout(location = 1) out vec4 q1;
layout(location = 2) out vec4 q2;
layout(location = 3) out vec4 q3;
const int RADIUS = 3;

int mirrored(int i, int n) { return i < 0 ? -i - 1 : (i >= n ? 2 * n - 1 - i : i); }

void main() {
  ivec2 size = textureSize(p0, 0), at = ivec2(gl_FragCoord.xy);
  q0 = q1 = q2 = q3 = vec4(0.0);
  for (int i = -RADIUS; i <= RADIUS; i++) {
    ivec2 place = at + along * i;
    place = ivec2(mirrored(place.x, size.x), mirrored(place.y, size.y));
    q0 += texelFetch(p0, place, 0);
    q1 += texelFetch(p1, place, 0);
    q2 += texelFetch(p2, place, 0);
    q3 += texelFetch(p3, place, 0);
  }
  float n = float(2 * RADIUS + 1);
  q0 /= n;
  q1 /= n;
  q2 /= n;
  q3 /= n;
}
