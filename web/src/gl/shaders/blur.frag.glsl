#version 300 es
// Gaussian blur along rows or columns, borders replicated.
precision highp float;
precision highp sampler2D;
uniform sampler2D source;
uniform ivec2 along;
uniform float sigma;
uniform int reach;
out vec4 blurred;

void main() {
  ivec2 size = textureSize(source, 0), at = ivec2(gl_FragCoord.xy);
  blurred = vec4(0.0);
  float weights = 0.0;
  for (int i = -reach; i <= reach; i++) {
    float weight = exp(-0.5 * float(i * i) / (sigma * sigma));
    blurred += weight * texelFetch(source, clamp(at + along * i, ivec2(0), size - 1), 0);
    weights += weight;
  }
  blurred /= weights;
}
