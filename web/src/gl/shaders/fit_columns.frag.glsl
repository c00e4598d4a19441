#version 300 es
// Guided filter of four classes: finish the window sums and solve for the affine coefficients.
precision highp float;
precision highp sampler2D;
uniform sampler2D p0, p1, p2, p3;
uniform sampler2D meanAndRR, rgRbGgGb, bb;
layout(location = 0) out vec4 ar;
layout(location = 1) out vec4 ag;
layout(location = 2) out vec4 ab;
layout(location = 3) out vec4 offset;
const int RADIUS = 3;

int mirrored(int i, int n) { return i < 0 ? -i - 1 : (i >= n ? 2 * n - 1 - i : i); }

void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  int height = textureSize(p0, 0).y;
  vec4 mean = vec4(0.0), cr = vec4(0.0), cg = vec4(0.0), cb = vec4(0.0);
  for (int y = -RADIUS; y <= RADIUS; y++) {
    ivec2 place = ivec2(at.x, mirrored(at.y + y, height));
    mean += texelFetch(p0, place, 0);
    cr += texelFetch(p1, place, 0);
    cg += texelFetch(p2, place, 0);
    cb += texelFetch(p3, place, 0);
  }
  float n = float((2 * RADIUS + 1) * (2 * RADIUS + 1));
  vec4 first = texelFetch(meanAndRR, at, 0), second = texelFetch(rgRbGgGb, at, 0);
  float ibb = texelFetch(bb, at, 0).r;
  mean /= n;
  cr = cr / n - first.r * mean;
  cg = cg / n - first.g * mean;
  cb = cb / n - first.b * mean;
  ar = first.a * cr + second.r * cg + second.g * cb;
  ag = second.r * cr + second.b * cg + second.a * cb;
  ab = second.g * cr + second.a * cg + ibb * cb;
  offset = mean - ar * first.r - ag * first.g - ab * first.b;
}
