import { effect } from "@preact/signals";
import { render } from "preact";
import * as api from "./api";
import { App } from "./components/App";
import { toWire } from "./look";
import { Scene } from "./scene";
import { remember, restore } from "./session";
import { fail, frame, info, look, photo, selection, table, tool, view } from "./state";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/studio.css";
import "./styles/stage.css";
import "./styles/welcome.css";
import "./styles/sheets.css";
import "./styles/phone.css";
import { keepTheme } from "./theme";
import { followJobs } from "./work";

const scene = new Scene();

/** For tests and the curious: what is on the screen. */
const hooks = {
  /** Whether the picture is finished. */
  settled: () => scene.settled(),
  /** The composite, RGB octets (height, width, 3). */
  pixels: () => ({ ...frame.value, rgb: scene.pixels() }),
  look: () => toWire(look.value),
  photo: () => photo.value?.id,
  /** Where a pixel of the preview lies in the window. */
  place: (x: number, y: number) => {
    const box = document.querySelector("canvas")!.getBoundingClientRect();
    return { x: box.x + view.value.x + (x + 0.5) * view.value.scale, y: box.y + view.value.y + (y + 0.5) * view.value.scale };
  },
};

declare global {
  interface Window {
    selfieart: typeof hooks;
  }
}

async function start(): Promise<void> {
  keepTheme();
  render(<App scene={scene} />, document.getElementById("app")!);
  window.selfieart = hooks;
  try {
    info.value = await api.info();
  } catch (error) {
    fail(error);
    return;
  }
  await restore();
  remember();
  followJobs();
  // The brush belongs to one part: another selection puts it down.
  effect(() => {
    const [name] = selection.value;
    const usable = selection.value.length === 1 && table.value.names.includes(name!);
    if (!usable && tool.peek() !== "select") tool.value = "select";
  });
}

void start();
