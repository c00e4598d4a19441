/** The keyboard, where no control of its own has the focus. */

import { redo, select, surprise, undo, wear, wornNow } from "./edit";
import { camera, compare, holding, info, menu, photo, selection, tool } from "./state";
import { ANY_FILE, open, pick } from "./work";
import { refit, zoomBy } from "./zoom";

const isText = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.matches("input:not([type=range]):not([type=color]), textarea") || target.isContentEditable);

/** The style before or after the one that the selection wears. */
function step(by: number): void {
  const names = ["original", ...(info.value?.presets.map((preset) => preset.name) ?? [])];
  const at = Math.max(0, names.indexOf(wornNow()?.style ?? "original"));
  wear(names[(at + by + names.length) % names.length]!);
}

export function listenToKeys(signal: AbortSignal): void {
  window.addEventListener("keydown", (event) => pressed(event), { signal });
  window.addEventListener("keyup", (event) => lifted(event), { signal });
  window.addEventListener("pointerdown", () => (byPointer = true), { signal, capture: true });
  window.addEventListener("blur", () => (holding.value = false), { signal });
}

/** Whether the focus is where it is because of a click: then Space shows the photo and presses no button. */
let byPointer = false;

function lifted(event: KeyboardEvent): void {
  if (event.code !== "Space" || !holding.value) return;
  event.preventDefault();
  holding.value = false;
}

function pressed(event: KeyboardEvent): void {
  const key = event.key.toLowerCase();
  if (menu.value !== "none" || camera.value !== "off") {
    if (key === "escape") {
      menu.value = "none";
      camera.value = "off";
    }
    return;
  }
  if (isText(event.target) || !photo.value) return;
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") event.shiftKey ? redo() : undo();
    else if (key === "y") redo();
    else return;
    return event.preventDefault();
  }
  if (event.altKey) return;
  if (event.key === "Tab" || event.key.startsWith("Arrow")) byPointer = false;
  const onButton = !byPointer && event.target instanceof HTMLElement && event.target.matches("button, a, label, input");
  if (event.code === "Space" && !onButton) {
    event.preventDefault();
    holding.value = true;
    return;
  }
  const actions: Record<string, () => void> = {
    c: () => (compare.value = compare.value === "split" ? "off" : "split"),
    s: () => void surprise(),
    o: () => pick(ANY_FILE, (files) => void open(files)),
    e: () => (menu.value = "export"),
    "?": () => (menu.value = "keys"),
    "/": () => document.getElementById("style-search")?.focus(),
    "[": () => step(-1),
    "]": () => step(1),
    "+": () => zoomBy(1.5),
    "=": () => zoomBy(1.5),
    "-": () => zoomBy(1 / 1.5),
    "0": () => refit(true),
    escape: () => {
      if (tool.value !== "select") tool.value = "select";
      else if (selection.value.length) select(null);
      else compare.value = "off";
    },
  };
  const act = actions[key];
  if (!act) return;
  event.preventDefault();
  act();
}
