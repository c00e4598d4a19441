/** What goes over the wire. Looks are in generated.ts. */

import type { WireLook } from "./generated";

export type { Faces, Look, WireLook, Worn } from "./generated";

export interface PresetInfo {
  name: string;
  title: string;
  artist: string;
  year: string | null;
  thumbnail: string;
}

export interface Info {
  version: string;
  presets: PresetInfo[];
  segments: { name: string; color: [number, number, number] }[];
  groups: Record<string, string[]>;
  strokes: Record<string, number>;
  methods: string[];
  video: boolean;
  any_style: boolean;
  limits: { photo_bytes: number; photo_pixels: number; video_bytes: number; video_seconds: number };
}

export interface Face {
  x: number;
  y: number;
  side: number;
  angle: number;
}

export interface PhotoInfo {
  id: string;
  name: string;
  width: number;
  height: number;
  /** Width and height of the preview. */
  preview: [number, number];
  /** Classes, height and width of the logits. */
  logits: [number, number, number];
  faces: Face[];
  notes: string[];
  look: WireLook | null;
}

export interface VideoInfo {
  id: string;
  width: number;
  height: number;
  rate: string;
  frames: number;
  seconds: number;
  has_sound: boolean;
  photo: PhotoInfo;
}

export interface UploadedStyle {
  id: string;
  name: string;
  thumbnail: string;
}

export interface Job {
  id: string;
  kind: "method" | "video";
  title: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  stage: string;
  progress: number;
  eta_s: number | null;
  error: string | null;
  result: { url: string; name: string; bytes: number } | null;
  preview: string | null;
  created: number | string;
}

/** Segment -> bias in units of 1/8 logit at the logits' resolution. */
export type Corrections = Record<string, Int8Array>;
