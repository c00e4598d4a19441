/** Requests to the server. Every failure is an Error whose message is one sentence for a person. */

import { toWire } from "./look";
import type { Corrections, Faces, Info, Job, Look, PhotoInfo, UploadedStyle, VideoInfo, WireLook } from "./types";

export class RequestError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

async function request(path: string, options: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new RequestError("The server does not answer: is “selfieart app” still running?", 0);
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => null);
  const sentence = typeof said?.error === "string" ? said.error : `The server refused this (${response.status}).`;
  throw new RequestError(sentence, response.status);
}

async function json<T>(path: string, options?: RequestInit): Promise<T> {
  return (await request(path, options)).json() as Promise<T>;
}

function posted(body: unknown, signal?: AbortSignal): RequestInit {
  return {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  };
}

/** Octets with their shape from the X-Shape header. */
export interface Octets {
  data: ArrayBuffer;
  shape: number[];
}

async function octets(path: string, options?: RequestInit): Promise<Octets> {
  const response = await request(path, options);
  const shape = (response.headers.get("X-Shape") ?? "").split(",").map(Number);
  return { data: await response.arrayBuffer(), shape };
}

/** Upload with progress, which fetch cannot tell. */
function upload<T>(path: string, body: Blob, progress: (share: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open("POST", path);
    call.setRequestHeader("Content-Type", "application/octet-stream");
    const name = body instanceof File ? body.name : "";
    if (name) call.setRequestHeader("X-Name", encodeURIComponent(name));
    call.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    call.onerror = () => reject(new RequestError("The server does not answer: is “selfieart app” still running?", 0));
    call.onload = () => {
      let said: unknown = null;
      try {
        said = JSON.parse(call.responseText);
      } catch {
        /* worded below */
      }
      if (call.status >= 200 && call.status < 300 && said) return resolve(said as T);
      const error = (said as { error?: unknown } | null)?.error;
      reject(new RequestError(typeof error === "string" ? error : `The server refused this (${call.status}).`, call.status));
    };
    call.send(body);
  });
}

export const info = () => json<Info>("/api/info");
export const sample = () => json<PhotoInfo>("/api/photos/sample", { method: "POST" });
export const addPhoto = (file: Blob, progress: (share: number) => void) => upload<PhotoInfo>("/api/photos", file, progress);
export const addVideo = (file: Blob, progress: (share: number) => void) => upload<VideoInfo>("/api/videos", file, progress);
export const addStyle = (file: Blob, progress: (share: number) => void) => upload<UploadedStyle>("/api/styles", file, progress);
export const photo = (id: string) => json<PhotoInfo>(`/api/photos/${encodeURIComponent(id)}`);
export const preview = (id: string) => octets(`/api/photos/${encodeURIComponent(id)}/preview`);
export const logits = (id: string, faces: Faces) => octets(`/api/photos/${encodeURIComponent(id)}/logits?faces=${faces}`);
export const surprise = (id: string) => json<WireLook>(`/api/looks/random?photo=${encodeURIComponent(id)}`);

export interface LayerKey {
  style: string;
  stroke: string | number;
  seed: number;
  faces: Faces;
  fine: boolean;
}

/** A painted layer; a draft has coarse strokes only, and comes several times sooner for a large photo. */
export function layer(id: string, key: LayerKey, signal: AbortSignal, draft = false): Promise<Octets> {
  const query = new URLSearchParams({
    style: key.style,
    stroke: String(key.stroke),
    seed: String(key.seed),
    faces: String(key.faces),
    fine: key.fine ? "1" : "0",
    draft: draft ? "1" : "0",
  });
  return octets(`/api/photos/${encodeURIComponent(id)}/layers?${query}`, { signal });
}

function design(look: Look, corrections: Corrections) {
  const wired = Object.fromEntries(Object.entries(corrections).map(([name, bias]) => [name, base64(bias)]));
  return { look: toWire(look), corrections: wired };
}

export function composite(id: string, look: Look, corrections: Corrections, signal?: AbortSignal): Promise<Octets> {
  return octets(`/api/photos/${encodeURIComponent(id)}/composite`, posted(design(look, corrections), signal));
}

export async function exported(id: string, look: Look, corrections: Corrections, format: "png" | "jpeg"): Promise<{ blob: Blob; name: string }> {
  const body = { ...design(look, corrections), format, quality: 92 };
  const response = await request(`/api/photos/${encodeURIComponent(id)}/export`, posted(body));
  const named = /filename="?([^";]+)"?/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
  return { blob: await response.blob(), name: named ?? `selfieart.${format === "png" ? "png" : "jpg"}` };
}

export const methodJob = (photo: string, look: Look, corrections: Corrections, method: string) =>
  json<Job>("/api/jobs", posted({ kind: "method", photo, ...design(look, corrections), method }));
export const videoJob = (video: string, look: Look, steadiness: number) =>
  json<Job>("/api/jobs", posted({ kind: "video", video, look: toWire(look), steadiness }));
export const jobs = () => json<Job[]>("/api/jobs");
export const dropJob = (id: string) => request(`/api/jobs/${encodeURIComponent(id)}`, { method: "DELETE" });

export function base64(bias: Int8Array): string {
  const octets = new Uint8Array(bias.buffer, bias.byteOffset, bias.byteLength);
  let text = "";
  for (let i = 0; i < octets.length; i += 32768) text += String.fromCharCode(...octets.subarray(i, i + 32768));
  return btoa(text);
}

export function fromBase64(text: string): Int8Array {
  return Int8Array.from(atob(text), (c) => (c.charCodeAt(0) << 24) >> 24);
}
