/** Mouse, pen and fingers on the stage: point, select, pan, pinch, and paint corrections. */

import { copied, dab, tidied } from "./brush";
import { select, setCorrections } from "./edit";
import type { Scene } from "./scene";
import { brushSize, design, frame, holding, hovered, selection, table, tool } from "./state";
import type { Corrections } from "./types";
import { hoverAt, panBy, pixelAt, toggleZoom, zoomBy } from "./zoom";

/** Pixels that a click may move. */
const STILL = 6;
/** Milliseconds after which a finger that rests shows the photo. */
const LONG_PRESS = 380;
/** Milliseconds after which a pointer that rests no longer lights a part up, so that the picture can be judged. */
const REST = 1600;

interface Touch {
  x: number;
  y: number;
}

export class StagePointer {
  private readonly down = new Map<number, Touch>();
  private start: Touch | null = null;
  private moved = false;
  private hold = 0;
  private rest = 0;
  private pinch: { distance: number; x: number; y: number } | null = null;
  private stroke: { corrections: Corrections; last: Touch; target: number } | null = null;
  private lastTap = { time: 0, x: 0, y: 0 };

  constructor(
    private readonly stage: HTMLElement,
    private readonly scene: Scene,
  ) {}

  /** Returns what ends it. */
  listen(): () => void {
    const ends = new AbortController();
    const { signal } = ends;
    const { stage } = this;
    stage.addEventListener("pointerdown", (event) => this.press(event), { signal });
    stage.addEventListener("pointermove", (event) => this.move(event), { signal });
    stage.addEventListener("pointerup", (event) => this.lift(event), { signal });
    stage.addEventListener("pointercancel", (event) => this.lift(event, true), { signal });
    stage.addEventListener("pointerleave", () => this.leave(), { signal });
    stage.addEventListener("wheel", (event) => this.wheel(event), { signal, passive: false });
    return () => ends.abort();
  }

  private place(event: MouseEvent): Touch {
    const box = this.stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** Class under a place on the stage, as its name. */
  private nameAt(at: Touch): string | null {
    const pixel = pixelAt(at.x, at.y);
    return table.value.names[this.scene.classAt(pixel.x, pixel.y)] ?? null;
  }

  private press(event: PointerEvent): void {
    if (event.button > 1) return;
    this.stage.setPointerCapture(event.pointerId);
    const at = this.place(event);
    this.down.set(event.pointerId, at);
    this.start = at;
    this.moved = false;
    if (this.down.size === 2) {
      this.cancelStroke();
      this.pinch = this.spread();
      this.moved = true;
    } else if (tool.value !== "select" && event.button === 0) this.beginStroke(at);
    clearTimeout(this.hold);
    if (this.down.size === 1 && tool.value === "select" && event.pointerType !== "mouse") {
      this.hold = window.setTimeout(() => {
        this.moved = true;
        holding.value = true;
      }, LONG_PRESS);
    }
  }

  private move(event: PointerEvent): void {
    const at = this.place(event);
    hoverAt.value = event.pointerType === "touch" && tool.value === "select" ? null : at;
    const before = this.down.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "touch") return;
      hovered.value = this.nameAt(at);
      clearTimeout(this.rest);
      if (tool.value === "select") this.rest = window.setTimeout(() => this.leave(), REST);
      return;
    }
    this.down.set(event.pointerId, at);
    if (this.pinch && this.down.size === 2) {
      const now = this.spread();
      panBy(now.x - this.pinch.x, now.y - this.pinch.y);
      zoomBy(now.distance / this.pinch.distance, now.x, now.y);
      this.pinch = now;
      return;
    }
    if (this.stroke) return this.continueStroke(at);
    if (this.start && Math.hypot(at.x - this.start.x, at.y - this.start.y) > STILL) this.moved = true;
    if (this.moved) clearTimeout(this.hold);
    if (this.moved) panBy(at.x - before.x, at.y - before.y);
  }

  private lift(event: PointerEvent, cancelled = false): void {
    const at = this.place(event);
    this.down.delete(event.pointerId);
    this.pinch = null;
    clearTimeout(this.hold);
    holding.value = false;
    if (this.stroke) {
      if (cancelled) this.cancelStroke();
      else this.endStroke();
      return;
    }
    if (cancelled || this.moved || event.button !== 0) return;
    const again = event.timeStamp - this.lastTap.time < 320 && Math.hypot(at.x - this.lastTap.x, at.y - this.lastTap.y) < 24;
    this.lastTap = { time: again ? 0 : event.timeStamp, ...at };
    if (again) return toggleZoom(at.x, at.y);
    const name = this.nameAt(at);
    select(name, name !== null && (event.shiftKey || event.ctrlKey || event.metaKey));
  }

  private leave(): void {
    hovered.value = null;
    hoverAt.value = null;
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const at = this.place(event);
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    zoomBy(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0018)), at.x, at.y);
  }

  private spread(): { distance: number; x: number; y: number } {
    const [a, b] = [...this.down.values()] as [Touch, Touch];
    return { distance: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  }

  private beginStroke(at: Touch): void {
    const canvas = this.scene.logits;
    const target = table.value.names.indexOf(selection.value[0] ?? "");
    if (!canvas || target < 0) return;
    this.stroke = { corrections: copied(design.value.corrections, table.value.names, canvas.w * canvas.h), last: at, target };
    this.continueStroke(at);
  }

  private continueStroke(at: Touch): void {
    const canvas = this.scene.logits!;
    const { width, height } = frame.value;
    const stroke = this.stroke!;
    const scale = canvas.w / width;
    const radius = Math.max(0.6, ((brushSize.value / 200) * Math.min(width, height)) * scale);
    const from = pixelAt(stroke.last.x, stroke.last.y);
    const to = pixelAt(at.x, at.y);
    const steps = Math.max(1, Math.ceil((Math.hypot(to.x - from.x, to.y - from.y) * scale) / (radius / 2)));
    let top = canvas.h;
    let bottom = 0;
    for (let i = 1; i <= steps; i++) {
      const x = (from.x + ((to.x - from.x) * i) / steps) * scale;
      const y = (from.y + ((to.y - from.y) * i) / steps) * (canvas.h / height);
      const rows = dab(stroke.corrections, canvas, table.value.names, stroke.target, tool.value as "add" | "remove", x, y, radius);
      top = Math.min(top, rows[0]);
      bottom = Math.max(bottom, rows[1]);
    }
    stroke.last = at;
    if (bottom > top) this.scene.applyCorrections({ ...stroke.corrections }, top, bottom);
  }

  private endStroke(): void {
    const { corrections } = this.stroke!;
    this.stroke = null;
    setCorrections(tidied(corrections));
    this.scene.lookForParts();
  }

  private cancelStroke(): void {
    if (!this.stroke) return;
    this.stroke = null;
    this.scene.applyCorrections(design.value.corrections);
  }
}
