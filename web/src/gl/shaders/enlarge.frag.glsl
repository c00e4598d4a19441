#version 300 es
// A blurred mask back at full resolution, bilinearly, in every channel; the caller's colour mask picks one.
precision highp float;
precision highp sampler2D;
uniform sampler2D source;
uniform vec2 scale; // source pixels per target pixel
out vec4 enlarged;

void main() {
  ivec2 size = textureSize(source, 0);
  vec2 place = clamp(gl_FragCoord.xy * scale - 0.5, vec2(0.0), vec2(size - 1));
  ivec2 low = ivec2(place), high = min(low + 1, size - 1);
  vec2 f = place - vec2(low);
  float top = mix(texelFetch(source, low, 0).r, texelFetch(source, ivec2(high.x, low.y), 0).r, f.x);
  float bottom = mix(texelFetch(source, ivec2(low.x, high.y), 0).r, texelFetch(source, high, 0).r, f.x);
  enlarged = vec4(mix(top, bottom, f.y));
}
