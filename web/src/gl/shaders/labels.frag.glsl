#version 300 es
// The likeliest class of each pixel; of equal logits the first class wins.
precision highp float;
precision highp sampler2DArray;
uniform sampler2DArray logits;
out vec4 label;

void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  int best = 0;
  float highest = -1e30;
  for (int quad = 0; quad < 5; quad++) {
    vec4 four = texelFetch(logits, ivec3(at, quad), 0);
    for (int i = 0; i < 4; i++) if (quad * 4 + i < 19 && four[i] > highest) {
      highest = four[i];
      best = quad * 4 + i;
    }
  }
  label = vec4(float(best) / 255.0, 0.0, 0.0, 1.0);
}
