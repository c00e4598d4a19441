/** Pictures in and out: photos, videos, styles, looks, exports and jobs. */

import * as api from "./api";
import { setLook, styleTitle, wear } from "./edit";
import { begin } from "./history";
import { STYLE_PREFIX } from "./generated";
import { EMPTY_LOOK, fromData, fromText, toToml } from "./look";
import {
  busy, camera, compare, design, fail, history, info, jobs, look, menu, photo, selection, table, tell, tool, uploaded, video,
} from "./state";
import { partsOf } from "./style_names";
import type { Job, PhotoInfo, VideoInfo } from "./types";

const VIDEO = /\.(mp4|m4v|mov|mkv|webm|avi|gif)$/i;
const LOOK = /\.(toml|json)$/i;

export const isVideo = (file: File) => file.type.startsWith("video/") || file.type === "image/gif" || VIDEO.test(file.name);

async function busily<T>(text: string, work: (share: (value: number) => void) => Promise<T>): Promise<T | null> {
  busy.value = { text, share: null };
  try {
    return await work((share) => {
      busy.value = share < 1 ? { text, share } : { text: "Looking closely", share: null };
    });
  } catch (error) {
    fail(error);
    return null;
  } finally {
    busy.value = null;
  }
}

/** Work on a photo. The look stays: the same design on another face is what most people want next. */
function show(next: PhotoInfo, clip: VideoInfo | null = null): void {
  const kept = { ...look.value, faces: EMPTY_LOOK.faces };
  const before = photo.value;
  video.value = clip;
  history.value = begin({ look: kept, corrections: {} });
  selection.value = [];
  compare.value = "off";
  tool.value = "select";
  photo.value = next;
  for (const note of next.notes) tell(note);
  if (next.look) {
    const carried = next.look;
    if (!before) return void use(carried);
    tell("This picture carries the look it was made with.", "plain", { label: "Use it", run: () => use(carried) });
  }
}

function use(data: unknown): void {
  try {
    setLook({ ...fromData(data, table.value), faces: look.value.faces });
  } catch (error) {
    fail(error);
  }
}

export async function openSample(): Promise<void> {
  const next = await busily("Opening the sample", () => api.sample());
  if (next) show(next);
}

export async function openPhoto(file: Blob): Promise<void> {
  const limit = info.value?.limits.photo_bytes ?? Infinity;
  if (file.size > limit) return fail(new Error(`This picture is larger than ${bytes(limit)}: save it smaller and try again.`));
  const next = await busily("Opening your photo", (share) => api.addPhoto(file, share));
  if (next) show(next);
}

export async function openVideo(file: File): Promise<void> {
  if (!info.value?.video) return fail(new Error("This version cannot paint videos: give a photo."));
  const limit = info.value.limits.video_bytes;
  if (file.size > limit) return fail(new Error(`This video is larger than ${bytes(limit)}: cut it shorter and try again.`));
  const clip = await busily("Opening your video", (share) => api.addVideo(file, share));
  if (!clip) return;
  show(clip.photo, clip);
  tell("Design on the first frame, then render the clip from Export.");
}

export async function openStyle(file: Blob): Promise<void> {
  if (!info.value?.any_style) return fail(new Error("This version paints presets only: choose one from the strip."));
  const given = await busily("Studying the style", (share) => api.addStyle(file, share));
  if (!given) return;
  const style = { ...given, name: given.name.replace(/\.\w{2,5}$/, "") || "Your picture" };
  uploaded.value = [style, ...uploaded.value.filter((other) => other.id !== style.id)];
  wear(style.id);
}

async function openLook(file: File): Promise<void> {
  try {
    setLook(fromText(await file.text(), table.value));
    tell(`The look of ${file.name} is on.`);
  } catch (error) {
    fail(error);
  }
}

/** Whatever a person dropped, pasted or picked. */
export async function open(files: Iterable<File>, as: "photo" | "style" = "photo"): Promise<void> {
  const file = [...files][0];
  if (!file) return;
  camera.value = "off";
  if (LOOK.test(file.name)) return openLook(file);
  if (as === "style") return openStyle(file);
  return isVideo(file) ? openVideo(file) : openPhoto(file);
}

/** Let a person choose a file. */
export function pick(accept: string, done: (files: FileList) => void): void {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = accept;
  input.onchange = () => input.files?.length && done(input.files);
  input.click();
}

export const PICTURES = "image/jpeg,image/png,image/webp,image/tiff,image/bmp";
export const anyFile = () => `${PICTURES}${info.value?.video ? ",video/*,image/gif" : ""},.toml,.json`;

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export async function download(format: "png" | "jpeg"): Promise<void> {
  const now = photo.value;
  if (!now) return;
  menu.value = "none";
  const made = await busily("Painting at full size", () => api.exported(now.id, look.value, design.value.corrections, format));
  if (!made) return;
  save(made.blob, made.name);
  tell(`${made.name} is saved, ${now.width} × ${now.height} pixels.`);
}

export function saveLook(): void {
  const own = Object.values(look.value.segments).some((worn) => partsOf(worn.style).some(({ style }) => style.startsWith(STYLE_PREFIX)));
  save(new Blob([toToml(look.value)], { type: "application/toml" }), "look.toml");
  if (own) tell("The look is saved. Styles from your own pictures are in it by name only: keep those pictures.");
}

export async function startMethod(method: string): Promise<void> {
  if (!photo.value) return;
  try {
    heard(await api.methodJob(photo.value.id, look.value, design.value.corrections, method));
    menu.value = "jobs";
  } catch (error) {
    fail(error);
  }
}

export async function startVideo(steadiness: number): Promise<void> {
  if (!video.value) return;
  try {
    heard(await api.videoJob(video.value.id, look.value, steadiness));
    menu.value = "jobs";
  } catch (error) {
    fail(error);
  }
}

/** News of a job. */
function heard(job: Job): void {
  const before = jobs.value.find((other) => other.id === job.id);
  jobs.value = before ? jobs.value.map((other) => (other.id === job.id ? job : other)) : [job, ...jobs.value];
  if (!before || before.state === job.state) return;
  if (job.state === "done") tell(`${job.title} is finished.`, "plain", { label: "Show", run: () => (menu.value = "jobs") });
  if (job.state === "failed") tell(job.error ?? `${job.title} failed.`, "error");
}

export async function dropJob(id: string): Promise<void> {
  const job = jobs.value.find((other) => other.id === id);
  try {
    await api.dropJob(id);
    if (job && !["queued", "running"].includes(job.state)) jobs.value = jobs.value.filter((other) => other.id !== id);
  } catch (error) {
    fail(error);
  }
}

/** Follow all jobs of the server; the browser reconnects by itself. */
export function followJobs(): void {
  const events = new EventSource("/api/jobs/events");
  events.addEventListener("job", (event) => heard(JSON.parse(event.data) as Job));
  events.addEventListener("gone", (event) => {
    const { id } = JSON.parse(event.data) as { id: string };
    jobs.value = jobs.value.filter((job) => job.id !== id);
  });
}

export function bytes(count: number): string {
  const units = ["bytes", "kB", "MB", "GB"];
  let unit = 0;
  while (count >= 1000 && unit < 3) {
    count /= 1000;
    unit++;
  }
  return `${count >= 10 || unit === 0 ? Math.round(count) : count.toFixed(1)} ${units[unit]}`;
}

export function duration(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export { styleTitle };
