#version 300 es
// Guided filter, the guide's part: window means of the colours and the inverse of their covariance.
precision highp float;
precision highp sampler2D;
uniform sampler2D guide;
uniform float eps;
layout(location = 0) out vec4 meanAndRR;
layout(location = 1) out vec4 rgRbGgGb;
layout(location = 2) out vec4 bb;
const int RADIUS = 3;

int mirrored(int i, int n) { return i < 0 ? -i - 1 : (i >= n ? 2 * n - 1 - i : i); }

void main() {
  ivec2 size = textureSize(guide, 0), at = ivec2(gl_FragCoord.xy);
  vec3 mean = vec3(0.0), square = vec3(0.0), cross = vec3(0.0);
  for (int y = -RADIUS; y <= RADIUS; y++) for (int x = -RADIUS; x <= RADIUS; x++) {
    vec3 c = texelFetch(guide, ivec2(mirrored(at.x + x, size.x), mirrored(at.y + y, size.y)), 0).rgb;
    mean += c;
    square += c * c;
    cross += c.rrg * c.gbb;
  }
  float n = float((2 * RADIUS + 1) * (2 * RADIUS + 1));
  mean /= n;
  vec3 v = square / n - mean * mean + eps;
  vec3 k = cross / n - mean.rrg * mean.gbb; // rg, rb, gb
  float irr = v.g * v.b - k.z * k.z, irg = k.y * k.z - k.x * v.b, irb = k.x * k.z - k.y * v.g;
  float determinant = v.r * irr + k.x * irg + k.y * irb;
  meanAndRR = vec4(mean, irr / determinant);
  rgRbGgGb = vec4(irg, irb, v.r * v.b - k.y * k.y, k.x * k.y - v.r * k.z) / determinant;
  bb = vec4((v.r * v.g - k.x * k.x) / determinant, 0.0, 0.0, 0.0);
}
