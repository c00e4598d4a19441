/** The page survives a reload: photo, design and the styles that were uploaded, kept by the tab. */

import { effect } from "@preact/signals";
import * as api from "./api";
import { begin } from "./history";
import { fromData, toWire } from "./look";
import { design, history, photo, selection, table, tell, uploaded, video } from "./state";
import type { Corrections, UploadedStyle, VideoInfo, WireLook } from "./types";

const KEY = "selfieart";

interface Kept {
  photo: string;
  look: WireLook;
  corrections: Record<string, string>;
  selection: string[];
  uploaded: UploadedStyle[];
  video: VideoInfo | null;
}

/** Bring back what the tab had before it was reloaded. */
export async function restore(): Promise<void> {
  let kept: Kept;
  try {
    kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Kept;
    if (!kept) return;
    const corrections: Corrections = {};
    for (const [name, text] of Object.entries(kept.corrections)) corrections[name] = api.fromBase64(text);
    const look = fromData(kept.look, table.value);
    const found = await api.photo(kept.photo);
    uploaded.value = kept.uploaded;
    video.value = kept.video;
    history.value = begin({ look, corrections });
    photo.value = found;
    selection.value = kept.selection.filter((name) => table.value.members.has(name));
  } catch (error) {
    sessionStorage.removeItem(KEY);
    if (error instanceof api.RequestError && error.status === 404) tell("The app was restarted: open your photo again.");
  }
}

/** Keep everything from now on. */
export function remember(): void {
  effect(() => {
    if (!photo.value) return;
    const { look, corrections } = design.value;
    const kept: Kept = {
      photo: photo.value.id,
      look: toWire(look),
      corrections: Object.fromEntries(Object.entries(corrections).map(([name, bias]) => [name, api.base64(bias)])),
      selection: selection.value,
      uploaded: uploaded.value,
      video: video.value,
    };
    try {
      sessionStorage.setItem(KEY, JSON.stringify(kept));
    } catch {
      // The tab's store is full of corrections: the look is worth more.
      sessionStorage.setItem(KEY, JSON.stringify({ ...kept, corrections: {} }));
    }
  });
}
