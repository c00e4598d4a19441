#version 300 es
// Guided filter: coefficients enlarged bilinearly (pixel centres aligned), applied to the photo at full resolution.
precision highp float;
precision highp sampler2D;
uniform sampler2D p0, p1, p2, p3;
uniform sampler2D photo;
out vec4 refined;

void main() {
  ivec2 size = textureSize(p0, 0), at = ivec2(gl_FragCoord.xy);
  vec2 place = max((vec2(at) + 0.5) * vec2(size) / vec2(textureSize(photo, 0)) - 0.5, 0.0);
  ivec2 low = ivec2(place), high = min(low + 1, size - 1);
  vec2 f = place - vec2(low);
  vec3 c = texelFetch(photo, at, 0).rgb;
  refined = vec4(0.0);
  for (int i = 0; i < 4; i++) {
    ivec2 corner = ivec2((i & 1) == 0 ? low.x : high.x, (i & 2) == 0 ? low.y : high.y);
    float weight = ((i & 1) == 0 ? 1.0 - f.x : f.x) * ((i & 2) == 0 ? 1.0 - f.y : f.y);
    refined += weight * (c.r * texelFetch(p0, corner, 0) + c.g * texelFetch(p1, corner, 0)
      + c.b * texelFetch(p2, corner, 0) + texelFetch(p3, corner, 0));
  }
}
