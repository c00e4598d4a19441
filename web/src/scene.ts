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
  compare, design, divider, fail, frame, holding, hovered, live, look, painting, photo, present, selection, table, tell, tool, view,
} from "./state";
import type { Corrections, Faces } from "./types";

/** Short side in pixels from which a photo is first painted in coarse strokes. */
const DRAFTED = 1200;
const AT_ONCE = 2;
const SERVER_DELAY = 180;
/** Milliseconds for which the outline of a new selection is seen. */
const FLASH = 1300;

/** What is on the screen. It belongs to who shows it. */
export class Scene {
  private screen: Screen | null = null;
  private canvas: HTMLCanvasElement | null = null;
  private parsed: { photo: string; faces: Faces } | null = null;
  private planes: Float32Array | null = null;
  private grid = { w: 0, h: 0 };
  private drawnCorrections: Corrections = {};
  /** Part -> the layer that it showed last. */
  private readonly shown = new Map<string, string>();
  private readonly fetching = new Map<string, AbortController>();
  private readonly failed = new Set<string>();
  private composing: AbortController | null = null;
  private timer = 0;
  private fading = 0;
  private wanted = { compose: false, show: false };
  private ink = { value: 0, until: 0 };

  /** Told when another picture, or other segments, are on the screen. */
  onLoad = (): void => {};

  /** The logits, planes (19, h, w), and their size; null until they are there. */
  get logits(): { w: number; h: number; planes: Float32Array } | null {
    return this.planes && { ...this.grid, planes: this.planes };
  }

  /** The composite, RGB octets (height, width, 3). */
  pixels(): Uint8Array {
    return this.screen?.read() ?? new Uint8Array();
  }

  /** Class at a pixel of the preview; -1 where there is none. */
  classAt(x: number, y: number): number {
    return this.screen?.classAt(x, y) ?? -1;
  }

  /** Find out anew which classes are seen. */
  lookForParts(): void {
    if (this.screen) present.value = this.screen.present();
  }

  /** Draw on a canvas from now on. Returns what ends it. */
  attach(element: HTMLCanvasElement): () => void {
    this.canvas = element;
    try {
      this.screen = new GpuScreen(element);
    } catch (error) {
      if (!(error instanceof NoGraphics)) throw error;
      this.screen = new PlainScreen(element);
      tell("This browser has no WebGL2, so the server blends the picture: changes take a moment.");
    }
    live.value = this.screen.live;
    const sizes = new ResizeObserver(() => this.fitCanvas());
    sizes.observe(element);
    element.addEventListener("webglcontextlost", (event) => event.preventDefault());
    element.addEventListener("webglcontextrestored", () => location.reload());
    const ends = [
      effect(() => void this.load(photo.value?.id ?? null, look.value.faces)),
      effect(() => {
        const next = design.value;
        untracked(() => this.applyCorrections(next.corrections));
        this.draw("compose");
      }),
      effect(() => {
        void [compare.value, divider.value, holding.value, hovered.value, view.value, tool.value];
        this.draw("show");
      }),
      effect(() => {
        void selection.value;
        this.flash();
      }),
      () => sizes.disconnect(),
    ];
    return () => {
      for (const end of ends) end();
      this.screen?.dispose();
      this.screen = null;
    };
  }

  /** Show the outline of the selection for a moment. */
  flash(): void {
    this.ink = { value: 1, until: performance.now() + FLASH };
    this.draw("show");
    clearTimeout(this.fading);
    this.fading = window.setTimeout(() => this.draw("show"), FLASH + 20);
  }

  private fitCanvas(): void {
    if (!this.canvas) return;
    const dense = Math.min(3, window.devicePixelRatio || 1);
    this.canvas.width = Math.max(1, Math.round(this.canvas.clientWidth * dense));
    this.canvas.height = Math.max(1, Math.round(this.canvas.clientHeight * dense));
    // A resized canvas is blank until it is drawn, so that is not left to the next frame.
    this.showNow();
  }

  draw(what: "compose" | "show"): void {
    if (!this.wanted.compose && !this.wanted.show) requestAnimationFrame((now) => this.tick(now));
    this.wanted[what] = true;
  }

  private tick(now: number): void {
    const { compose } = this.wanted;
    this.wanted = { compose: false, show: false };
    if (compose) this.composeNow();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (this.ink.value > 0 && now > this.ink.until) this.ink.value = still ? 0 : Math.max(0, 1 - (now - this.ink.until) / 350);
    if (this.ink.value > 0 && now > this.ink.until) this.draw("show");
    this.showNow();
  }

  private accent(): [number, number, number] {
    const said = getComputedStyle(document.documentElement).getPropertyValue("--accent-rgb").split(",").map(Number);
    return said.length === 3 ? (said.map((c) => c / 255) as [number, number, number]) : [0.85, 0.28, 0.17];
  }

  private showNow(): void {
    if (!this.screen) return;
    const seg = table.value;
    const before = holding.value || compare.value === "before";
    const brushing = tool.value !== "select";
    this.screen.show(view.value, {
      divider: before ? 1 : compare.value === "split" ? divider.value : 0,
      hovered: before ? 0 : bits(seg, hovered.value && !brushing ? [hovered.value] : []),
      selected: bits(seg, selection.value),
      ink: before ? 0 : brushing ? 1 : this.ink.value,
      accent: this.accent(),
    });
  }

  private async load(id: string | null, faces: Faces): Promise<void> {
    if (!this.screen || !id || (this.parsed?.photo === id && this.parsed.faces === faces)) return;
    const anew = this.parsed?.photo !== id;
    this.parsed = { photo: id, faces };
    const wantedNow = () => this.parsed?.photo === id && this.parsed.faces === faces;
    try {
      const [pixels, logits] = await Promise.all([anew ? api.preview(id) : null, api.logits(id, faces)]);
      if (!wantedNow() || !this.screen) return;
      if (pixels) {
        const [height = 0, width = 0] = pixels.shape;
        frame.value = { width, height };
        this.shown.clear();
        this.failed.clear();
        for (const control of this.fetching.values()) control.abort();
        this.screen.setPhoto(new Uint8Array(pixels.data), width, height);
      }
      const [, h = 0, w = 0] = logits.shape;
      this.planes = floatsFromHalves(logits.data);
      this.grid = { w, h };
      this.screen.setLogits(this.planes, w, h);
      this.drawnCorrections = {};
      this.applyCorrections(design.value.corrections);
      this.lookForParts();
      this.draw("compose");
      this.onLoad();
    } catch (error) {
      if (wantedNow()) this.parsed = null;
      fail(error);
    }
  }

  /** Bring the masks up to date with what was painted onto segments; only rows that differ are sent to the GPU. */
  applyCorrections(next: Corrections, top = 0, bottom = this.grid.h): void {
    if (!this.screen || !this.grid.w || next === this.drawnCorrections) return;
    if (!Object.keys(next).length && !Object.keys(this.drawnCorrections).length) return;
    this.drawnCorrections = next;
    const names = table.value.names;
    const fits = Object.entries(next).filter(([, bias]) => bias.length === this.grid.w * this.grid.h);
    this.screen.setCorrections(new Map(fits.map(([name, bias]) => [names.indexOf(name), bias])), top, bottom);
    this.draw("compose");
  }

  private composeNow(): void {
    const now = photo.value;
    if (!this.screen || !now || this.parsed?.photo !== now.id || !this.grid.w) return;
    const drawing = plan(table.value, look.value, Math.min(frame.value.width, frame.value.height));
    if (!this.screen.live || look.value.blend === "features") return this.composeOnServer(drawing);
    this.fetchLayers(now.id, drawing);
    const parts = drawing.parts.map((part) => ({ ...part, layer: part.layer && this.standIn(part.name, part.style, part.layer) }));
    this.screen.compose(parts as Plan["parts"], look.value.tau);
  }

  /** The layer itself or, until it is painted, what this part showed before. */
  private standIn(name: string, style: string, layer: string): string {
    if (this.screen!.hasLayer(layer)) {
      this.shown.set(name, layer);
      return layer;
    }
    const alike = this.screen!.layers().find((key) => JSON.parse(key)[0] === style);
    const before = this.shown.get(name);
    return alike ?? (before && this.screen!.hasLayer(before) ? before : layer);
  }

  private fetchLayers(id: string, { needed }: Plan): void {
    for (const [name, control] of this.fetching) {
      if (!needed.has(name)) {
        control.abort();
        this.fetching.delete(name);
      }
    }
    const missing = [...needed].filter(([name]) => !this.screen!.hasLayer(name) && !this.failed.has(name));
    painting.value = missing.map(([, key]) => key.style);
    for (const [name, key] of missing) {
      if (this.fetching.size >= AT_ONCE) break;
      if (this.fetching.has(name)) continue;
      const control = new AbortController();
      this.fetching.set(name, control);
      const put = ({ data, shape }: api.Octets) => {
        if (photo.value?.id === id && shape[0] === frame.value.height) this.screen!.setLayer(name, new Uint8Array(data));
        this.draw("compose");
      };
      const { width, height } = photo.value!;
      const drafted = Math.min(width, height) > DRAFTED ? api.layer(id, key, control.signal, true).then(put) : Promise.resolve();
      drafted
        .then(() => api.layer(id, key, control.signal))
        .then(put)
        .catch((error) => {
          if (control.signal.aborted) return;
          this.failed.add(name);
          fail(error);
        })
        .finally(() => {
          if (this.fetching.get(name) === control) this.fetching.delete(name);
          this.draw("compose");
        });
    }
  }

  private composeOnServer({ parts }: Plan): void {
    clearTimeout(this.timer);
    this.composing?.abort();
    const control = new AbortController();
    this.composing = control;
    this.timer = window.setTimeout(async () => {
      painting.value = parts.map((part) => part.style);
      try {
        const { data } = await api.composite(photo.value!.id, look.value, design.value.corrections, control.signal);
        if (!control.signal.aborted) this.screen!.setArt(new Uint8Array(data));
      } catch (error) {
        fail(error);
      } finally {
        if (this.composing === control) painting.value = [];
        this.draw("show");
      }
    }, SERVER_DELAY);
  }

  /** True when nothing is loading and what is on the screen is the look. */
  settled(): boolean {
    return !!this.grid.w && !this.fetching.size && !painting.value.length && !this.wanted.compose && this.parsed?.photo === photo.value?.id;
  }
}
