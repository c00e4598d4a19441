/** The webcam: one picture, or every frame painted by the server while the look changes. */

import { toWire } from "./look";
import type { Look } from "./types";

const WIDTH = 640;

export async function openCamera(): Promise<MediaStream> {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error("This browser gives pages no camera.");
  try {
    const ideal = { width: { ideal: 1280 }, height: { ideal: 960 }, facingMode: "user" };
    return await navigator.mediaDevices.getUserMedia({ video: ideal, audio: false });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    if (name === "NotAllowedError") throw new Error("The camera is not allowed: allow it for this page and try again.");
    if (name === "NotFoundError") throw new Error("No camera was found.");
    throw new Error("The camera cannot be used: another program may be using it.");
  }
}

/** The present frame as a JPEG, no wider than asked. */
export async function snapshot(source: HTMLVideoElement, widest = 4096, quality = 0.95): Promise<Blob> {
  const scale = Math.min(1, widest / Math.max(1, source.videoWidth));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(source.videoWidth * scale));
  canvas.height = Math.max(1, Math.round(source.videoHeight * scale));
  canvas.getContext("2d")!.drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The camera gave no picture."))), "image/jpeg", quality);
  });
}

/** Live painting: a frame goes out when the one before has come back, so nothing ever queues. */
export class LivePainting {
  private readonly socket: WebSocket;
  private closed = false;
  private shownAt = 0;

  constructor(
    private readonly source: HTMLVideoElement,
    private look: Look,
    private readonly onFrame: (frame: Blob, perSecond: number) => void,
    private readonly onTrouble: (sentence: string) => void,
  ) {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/api/live`);
    this.socket.onopen = () => {
      this.wear(this.look);
      void this.send();
    };
    this.socket.onmessage = (event) => this.receive(event.data as Blob | string);
    this.socket.onclose = () => {
      if (!this.closed) this.onTrouble("Live painting has stopped: the server closed it.");
    };
  }

  wear(look: Look): void {
    this.look = look;
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ look: toWire(look), width: WIDTH }));
  }

  private async send(): Promise<void> {
    if (this.closed || this.socket.readyState !== WebSocket.OPEN) return;
    if (!this.source.videoWidth) return void setTimeout(() => void this.send(), 100);
    this.socket.send(await snapshot(this.source, WIDTH, 0.85));
  }

  private receive(data: Blob | string): void {
    if (typeof data === "string") {
      const said = (JSON.parse(data) as { error?: string }).error;
      if (said) this.onTrouble(said);
      return void setTimeout(() => void this.send(), 1000);
    }
    const now = performance.now();
    this.onFrame(data, this.shownAt ? 1000 / (now - this.shownAt) : 0);
    this.shownAt = now;
    void this.send();
  }

  close(): void {
    this.closed = true;
    this.socket.close();
  }
}
