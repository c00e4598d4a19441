#version 300 es
// The artwork on the screen: zoomed and moved, before | after, and the segments that are pointed at or selected.
precision highp float;
precision highp sampler2D;
uniform sampler2D art;
uniform sampler2D photo;
uniform sampler2D labels;
uniform vec2 origin; // of the picture, in pixels of the screen from the top left
uniform float scale; // pixels of the screen per pixel of the picture
uniform float screenHeight;
uniform float divider; // left of this share of the picture the photo is seen
uniform uint hovered;
uniform uint selected;
uniform float ink; // how much of the selection's outline is seen
uniform vec3 accent;
uniform float thickness;
out vec4 color;

float member(uint set, vec2 place) {
  ivec2 size = textureSize(labels, 0);
  ivec2 at = clamp(ivec2(floor(place)), ivec2(0), size - 1);
  uint label = uint(texelFetch(labels, at, 0).r * 255.0 + 0.5);
  return float((set >> label) & 1u);
}

// 1 on the border of a set, with soft flanks.
float outline(uint set, vec2 place, float reach) {
  float sum = 0.0;
  for (int i = 0; i < 8; i++) {
    float angle = float(i) * 0.7853982;
    sum += member(set, place + reach * vec2(cos(angle), sin(angle)));
  }
  float share = sum / 8.0;
  return smoothstep(0.0, 0.5, share) * smoothstep(0.0, 0.5, 1.0 - share);
}

void main() {
  vec2 screen = vec2(gl_FragCoord.x, screenHeight - gl_FragCoord.y);
  vec2 size = vec2(textureSize(photo, 0)), place = (screen - origin) / scale;
  vec2 cover = clamp((0.5 - abs(place / size - 0.5)) * size * scale + 0.5, 0.0, 1.0);
  if (cover.x * cover.y <= 0.0) {
    color = vec4(0.0);
    return;
  }
  vec2 uv = place / size;
  vec3 rgb = uv.x < divider ? texture(photo, uv, -0.6).rgb : texture(art, uv, -0.6).rgb;
  float reach = thickness / scale;
  if (hovered != 0u) {
    float inside = member(hovered, place);
    rgb = mix(rgb * 0.84, min(rgb * 1.05 + 0.02, 1.0), inside);
    float edge = outline(hovered, place, reach);
    rgb = mix(rgb, vec3(1.0), 0.92 * edge);
  }
  if (ink > 0.0 && selected != 0u) {
    rgb = mix(rgb, vec3(1.0), 0.55 * ink * outline(selected, place, reach * 1.8));
    rgb = mix(rgb, accent, ink * outline(selected, place, reach));
  }
  float alpha = cover.x * cover.y;
  color = vec4(rgb * alpha, alpha);
}
