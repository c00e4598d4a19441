/** What goes over the wire, and the look in memory. */

export interface Worn {
  style: string;
  /** 0..1: how much of the style is seen. */
  strength: number;
  /** 0..1: how much of the photo's colour is kept. */
  keep_color: number;
  /** Standard deviation of the softened border in percent of the picture's short side, 0..20. */
  feather: number;
}

export type Faces = "all" | "largest" | number;

export interface Look {
  /** Softness of the masks; Infinity means binary. */
  tau: number;
  stroke: string | number;
  seed: number;
  faces: Faces;
  blend: "pixels" | "features";
  segments: Record<string, Worn>;
}

/** JSON cannot say infinity. */
export type WireLook = Omit<Look, "tau"> & { tau: number | "inf" };

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
