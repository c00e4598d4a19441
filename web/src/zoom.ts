/** Zoom and pan of the stage. */

import { computed, signal } from "@preact/signals";
import { frame, view } from "./state";
import { contained, fit, zoomed } from "./viewport";

const MARGIN = 24;

export const room = signal({ width: 1, height: 1 });
/** Where the pointer is over the stage, in CSS pixels. */
export const hoverAt = signal<{ x: number; y: number } | null>(null);
const isFitted = signal(true);

export const margin = () => (room.value.width < 700 ? 10 : MARGIN);
export const fitted = () => fit(room.value, frame.value, margin());
export const zoomShown = computed(() => `${Math.round(view.value.scale * 100)}%`);

/** Fit the picture again; a picture that was zoomed stays zoomed unless asked. */
export function refit(always = false): void {
  if (!frame.value.width) return;
  if (always || isFitted.value) {
    isFitted.value = true;
    view.value = fitted();
  } else view.value = contained(view.value, room.value, frame.value, margin());
}

export function zoomBy(factor: number, x = room.value.width / 2, y = room.value.height / 2): void {
  const next = zoomed(view.value, factor, x, y, fitted());
  view.value = contained(next, room.value, frame.value, margin());
  isFitted.value = view.value.scale <= fitted().scale * 1.001;
}

export function panBy(dx: number, dy: number): void {
  if (isFitted.value) return;
  view.value = contained({ ...view.value, x: view.value.x + dx, y: view.value.y + dy }, room.value, frame.value, margin());
}

export function toggleZoom(x: number, y: number): void {
  if (isFitted.value) zoomBy(2.5, x, y);
  else refit(true);
}

/** Pixel of the preview under a place on the stage. */
export function pixelAt(x: number, y: number): { x: number; y: number } {
  return { x: (x - view.value.x) / view.value.scale, y: (y - view.value.y) / view.value.scale };
}
