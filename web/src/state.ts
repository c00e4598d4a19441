/** What the page knows. Only actions in other modules change it. */

import { computed, signal } from "@preact/signals";
import { type History, begin } from "./history";
import { EMPTY_LOOK } from "./look";
import { type SegmentTable, segmentTable } from "./segments";
import type { View } from "./gl/screen";
import type { Corrections, Info, Job, Look, PhotoInfo, UploadedStyle, VideoInfo } from "./types";

/** What undo brings back. */
export interface Design {
  readonly look: Look;
  readonly corrections: Corrections;
}

export const info = signal<Info | null>(null);
export const photo = signal<PhotoInfo | null>(null);
export const video = signal<VideoInfo | null>(null);
export const history = signal<History<Design>>(begin<Design>({ look: EMPTY_LOOK, corrections: {} }));
export const design = computed(() => history.value.present);
export const look = computed(() => design.value.look);

/** Segments and groups that the next style goes to; none means the whole picture. */
export const selection = signal<string[]>([]);
export const targets = computed(() => (selection.value.length ? selection.value : ["everything"]));
export const hovered = signal<string | null>(null);
/** Classes seen in the photo, as bits. */
export const present = signal(0);

export type Tool = "select" | "add" | "remove";
export const tool = signal<Tool>("select");
/** Diameter of the brush in percent of the picture's short side. */
export const brushSize = signal(6);

export type Compare = "off" | "split" | "before";
export const compare = signal<Compare>("off");
export const divider = signal(0.5);
export const holding = signal(false);
/** Size of the preview; 0 until it is there. */
export const frame = signal({ width: 0, height: 0 });
export const view = signal<View>({ x: 0, y: 0, scale: 1 });

/** What the page is busy with, as words for a person; empty when idle. */
export const busy = signal<{ text: string; share: number | null } | null>(null);
export const painting = signal<string[]>([]);
/** Whether the GPU composites; false where the server has to. */
export const live = signal(true);

export const jobs = signal<Job[]>([]);
export const uploaded = signal<UploadedStyle[]>([]);
export const camera = signal<"off" | "photo" | "live">("off");

export interface Toast {
  id: number;
  text: string;
  kind: "plain" | "error";
  action?: { label: string; run: () => void };
}
export const toasts = signal<Toast[]>([]);
/** For screen readers. */
export const announcement = signal("");

/** What a file that is being dragged would become where it is now. */
export const dropping = signal<"nothing" | "picture" | "style">("nothing");

export type Panel = "styles" | "parts" | "adjust" | "picture";
export const panel = signal<Panel>("styles");
export const menu = signal<"none" | "jobs" | "export" | "keys">("none");

export const table = computed<SegmentTable>(() => segmentTable(info.value ?? { segments: [], groups: {} }));

let lastToast = 0;

export function tell(text: string, kind: Toast["kind"] = "plain", action?: Toast["action"]): void {
  const toast: Toast = { id: ++lastToast, text, kind, ...(action && { action }) };
  toasts.value = [...toasts.value.filter((other) => other.text !== text), toast].slice(-3);
  announcement.value = text;
  setTimeout(() => dismiss(toast.id), action ? 20_000 : kind === "error" ? 9000 : 4500);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

export function fail(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  tell(error instanceof Error && error.message ? error.message : "Something went wrong; nothing of yours is lost.", "error");
}
