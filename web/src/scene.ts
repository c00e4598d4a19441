/** The picture on the screen: loads what it needs from the server and draws when something changed. */

import { effect, untracked } from "@preact/signals";
import * as api from "./api";
import { NoGraphics } from "./gl/device";
import { GpuScreen } from "./gl/gpu_screen";
import { PlainScreen } from "./gl/plain_screen";
import type { Screen } from "./gl/screen";
import { floatsFromHalves } from "./half";
import { type Plan, plan } from "./parts";
import { bits } from "./segments";
import {
  compare, design, divider, fail, holding, hovered, live, look, painting, photo, present, selection, table, tell, tool, view,
} from "./state";
import type { Corrections, Faces } from "./types";

/** Short side in pixels from which a photo is first painted in coarse strokes. */
const DRAFTED = 1200;
const AT_ONCE = 2;
const SERVER_DELAY = 180;
/** Milliseconds for which the outline of a new selection is seen. */
const FLASH = 1300;

let screen: Screen | null = null;
let canvas: HTMLCanvasElement | null = null;
let size = { width: 0, height: 0 };
let parsed: { photo: string; faces: Faces } | null = null;
let planes: Float32Array | null = null;
let grid = { w: 0, h: 0 };
let drawnCorrections: Corrections = {};
const shown = new Map<string, string>();
const fetching = new Map<string, AbortController>();
const failed = new Set<string>();
let composing: AbortController | null = null;
let timer = 0;
let fading = 0;
let wanted = { compose: false, show: false };
let ink = { value: 0, until: 0 };

export const frame = () => ({ ...size, grid, planes });
export const theScreen = () => screen;

/** Give the canvas over. */
export function attach(element: HTMLCanvasElement): void {
  canvas = element;
  try {
    screen = new GpuScreen(element);
  } catch (error) {
    if (!(error instanceof NoGraphics)) throw error;
    screen = new PlainScreen(element);
    tell("This browser has no WebGL2, so the server blends the picture: changes take a moment.");
  }
  live.value = screen.live;
  new ResizeObserver(fitCanvas).observe(element);
  element.addEventListener("webglcontextlost", (event) => event.preventDefault());
  element.addEventListener("webglcontextrestored", () => location.reload());
  effect(() => void load(photo.value?.id ?? null, look.value.faces));
  effect(() => {
    const next = design.value;
    untracked(() => applyCorrections(next.corrections));
    draw("compose");
  });
  effect(() => {
    void [compare.value, divider.value, holding.value, hovered.value, view.value, tool.value];
    draw("show");
  });
  effect(() => {
    void selection.value;
    flash();
  });
}

/** Show the outline of the selection for a moment. */
export function flash(): void {
  ink = { value: 1, until: performance.now() + FLASH };
  draw("show");
  clearTimeout(fading);
  fading = window.setTimeout(() => draw("show"), FLASH + 20);
}

function fitCanvas(): void {
  if (!canvas) return;
  const dense = Math.min(3, window.devicePixelRatio || 1);
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * dense));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * dense));
  // A resized canvas is blank until it is drawn, so that is not left to the next frame.
  showNow();
}

export function draw(what: "compose" | "show"): void {
  if (!wanted.compose && !wanted.show) requestAnimationFrame(tick);
  wanted[what] = true;
}

function tick(now: number): void {
  const { compose } = wanted;
  wanted = { compose: false, show: false };
  if (compose) composeNow();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (ink.value > 0 && now > ink.until) ink.value = still ? 0 : Math.max(0, 1 - (now - ink.until) / 350);
  if (ink.value > 0 && now > ink.until) draw("show");
  showNow();
}

function accent(): [number, number, number] {
  const said = getComputedStyle(document.documentElement).getPropertyValue("--accent-rgb").split(",").map(Number);
  return said.length === 3 ? (said.map((c) => c / 255) as [number, number, number]) : [0.85, 0.28, 0.17];
}

function showNow(): void {
  if (!screen) return;
  const seg = table.value;
  const before = holding.value || compare.value === "before";
  const brushing = tool.value !== "select";
  screen.show(view.value, {
    divider: before ? 1 : compare.value === "split" ? divider.value : 0,
    hovered: before ? 0 : bits(seg, hovered.value && !brushing ? [hovered.value] : []),
    selected: bits(seg, selection.value),
    ink: before ? 0 : brushing ? 1 : ink.value,
    accent: accent(),
  });
}

async function load(id: string | null, faces: Faces): Promise<void> {
  if (!screen || !id || (parsed?.photo === id && parsed.faces === faces)) return;
  const anew = parsed?.photo !== id;
  parsed = { photo: id, faces };
  const wantedNow = () => parsed?.photo === id && parsed.faces === faces;
  try {
    const [pixels, logits] = await Promise.all([anew ? api.preview(id) : null, api.logits(id, faces)]);
    if (!wantedNow() || !screen) return;
    if (pixels) {
      const [height = 0, width = 0] = pixels.shape;
      size = { width, height };
      shown.clear();
      failed.clear();
      for (const control of fetching.values()) control.abort();
      screen.setPhoto(new Uint8Array(pixels.data), width, height);
    }
    const [, h = 0, w = 0] = logits.shape;
    planes = floatsFromHalves(logits.data);
    grid = { w, h };
    screen.setLogits(planes, w, h);
    drawnCorrections = {};
    applyCorrections(design.value.corrections);
    present.value = screen.present();
    draw("compose");
    window.dispatchEvent(new Event("scene"));
  } catch (error) {
    if (wantedNow()) parsed = null;
    fail(error);
  }
}

/** Bring the masks up to date with what was painted onto segments; only rows that differ are sent to the GPU. */
export function applyCorrections(next: Corrections, top = 0, bottom = grid.h): void {
  if (!screen || !grid.w || next === drawnCorrections) return;
  if (!Object.keys(next).length && !Object.keys(drawnCorrections).length) return;
  drawnCorrections = next;
  const names = table.value.names;
  const fits = Object.entries(next).filter(([, bias]) => bias.length === grid.w * grid.h);
  screen.setCorrections(new Map(fits.map(([name, bias]) => [names.indexOf(name), bias])), top, bottom);
  draw("compose");
}

function composeNow(): void {
  const now = photo.value;
  if (!screen || !now || parsed?.photo !== now.id || !grid.w) return;
  const drawing = plan(table.value, look.value, Math.min(size.width, size.height));
  if (!screen.live || look.value.blend === "features") return composeOnServer(drawing);
  fetchLayers(now.id, drawing);
  const parts = drawing.parts.map((part) => ({ ...part, layer: part.layer && standIn(part.name, part.style, part.layer) }));
  screen.compose(parts as Plan["parts"], look.value.tau);
}

/** The layer itself or, until it is painted, what this part showed before. */
function standIn(name: string, style: string, layer: string): string {
  if (screen!.hasLayer(layer)) {
    shown.set(name, layer);
    return layer;
  }
  const alike = screen!.layers().find((key) => JSON.parse(key)[0] === style);
  const before = shown.get(name);
  return alike ?? (before && screen!.hasLayer(before) ? before : layer);
}

function fetchLayers(id: string, { needed }: Plan): void {
  for (const [name, control] of fetching) {
    if (!needed.has(name)) {
      control.abort();
      fetching.delete(name);
    }
  }
  const missing = [...needed].filter(([name]) => !screen!.hasLayer(name) && !failed.has(name));
  painting.value = missing.map(([, key]) => key.style);
  for (const [name, key] of missing) {
    if (fetching.size >= AT_ONCE) break;
    if (fetching.has(name)) continue;
    const control = new AbortController();
    fetching.set(name, control);
    const put = ({ data, shape }: api.Octets) => {
      if (photo.value?.id === id && shape[0] === size.height) screen!.setLayer(name, new Uint8Array(data));
      draw("compose");
    };
    const { width, height } = photo.value!;
    const drafted = Math.min(width, height) > DRAFTED ? api.layer(id, key, control.signal, true).then(put) : Promise.resolve();
    drafted
      .then(() => api.layer(id, key, control.signal))
      .then(put)
      .catch((error) => {
        if (control.signal.aborted) return;
        failed.add(name);
        fail(error);
      })
      .finally(() => {
        if (fetching.get(name) === control) fetching.delete(name);
        draw("compose");
      });
  }
}

function composeOnServer({ parts }: Plan): void {
  clearTimeout(timer);
  composing?.abort();
  const control = new AbortController();
  composing = control;
  timer = window.setTimeout(async () => {
    painting.value = parts.map((part) => part.style);
    try {
      const { data } = await api.composite(photo.value!.id, look.value, design.value.corrections, control.signal);
      if (!control.signal.aborted) screen!.setArt(new Uint8Array(data));
    } catch (error) {
      fail(error);
    } finally {
      if (composing === control) painting.value = [];
      draw("show");
    }
  }, SERVER_DELAY);
}

/** Try again what failed. */
export function retry(): void {
  failed.clear();
  draw("compose");
}

/** True when nothing is loading and what is on the screen is the look. */
export function settled(): boolean {
  return !!grid.w && !fetching.size && !painting.value.length && !wanted.compose && parsed?.photo === photo.value?.id;
}
