#version 300 es
// Eq. 9 and 5: softmax(tau * logits), summed over the classes of each part. Four parts at a time.
precision highp float;
precision highp sampler2DArray;
uniform sampler2DArray logits;
uniform float tau; // 0 stands for binary
uniform mat4 shares[5]; // of the classes of each quad (columns) in the four parts (rows): 0 or 1
out vec4 masks;

// The first of equal logits wins.
vec4 firstOf(vec4 is, inout float open) {
  vec4 before = open * vec4(1.0, 1.0 - is.x, (1.0 - is.x) * (1.0 - is.y), (1.0 - is.x) * (1.0 - is.y) * (1.0 - is.z));
  vec4 won = is * before;
  open -= dot(won, vec4(1.0));
  return won;
}

vec4 weight(vec4 l, float highest, inout float open) {
  return tau > 0.0 ? exp(tau * (l - highest)) : firstOf(vec4(equal(l, vec4(highest))), open);
}

void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  vec4 a = texelFetch(logits, ivec3(at, 0), 0), b = texelFetch(logits, ivec3(at, 1), 0);
  vec4 c = texelFetch(logits, ivec3(at, 2), 0), d = texelFetch(logits, ivec3(at, 3), 0);
  vec4 e = texelFetch(logits, ivec3(at, 4), 0);
  vec4 top = max(max(max(a, b), max(c, d)), e);
  float highest = max(max(top.x, top.y), max(top.z, top.w)), open = 1.0;
  a = weight(a, highest, open);
  b = weight(b, highest, open);
  c = weight(c, highest, open);
  d = weight(d, highest, open);
  e = weight(e, highest, open);
  float sum = dot(a + b + c + d + e, vec4(1.0));
  masks = clamp((shares[0] * a + shares[1] * b + shares[2] * c + shares[3] * d + shares[4] * e) / sum, 0.0, 1.0);
}
