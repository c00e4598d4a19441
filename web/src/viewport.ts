/** Where the picture lies on the screen: fitting, zooming about a point, keeping it in sight. All in CSS pixels. */

import type { View } from "./gl/screen";

export interface Room {
  width: number;
  height: number;
}

const MOST = 16;

export function fit(room: Room, picture: Room, margin: number): View {
  const scale = Math.min((room.width - 2 * margin) / picture.width, (room.height - 2 * margin) / picture.height);
  const safe = Number.isFinite(scale) && scale > 0 ? Math.min(scale, 3) : 1;
  return { scale: safe, x: (room.width - picture.width * safe) / 2, y: (room.height - picture.height * safe) / 2 };
}

/** Zoom by a factor, leaving what lies at (x, y) where it is; never smaller than what fits. */
export function zoomed(view: View, factor: number, x: number, y: number, fitted: View): View {
  const scale = Math.min(Math.max(view.scale * factor, fitted.scale), fitted.scale * MOST);
  const share = scale / view.scale;
  return { scale, x: x - (x - view.x) * share, y: y - (y - view.y) * share };
}

/** The view moved so that the picture fills the room or, where it is smaller, stays in the middle. */
export function contained(view: View, room: Room, picture: Room, margin: number): View {
  const along = (at: number, space: number, length: number) => {
    if (length <= space - 2 * margin + 1) return (space - length) / 2;
    return Math.min(margin, Math.max(space - margin - length, at));
  };
  return {
    scale: view.scale,
    x: along(view.x, room.width, picture.width * view.scale),
    y: along(view.y, room.height, picture.height * view.scale),
  };
}
