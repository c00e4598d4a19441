import { useSignal } from "@preact/signals";
import { title } from "../segments";
import { busy, camera, info, look, menu, photo, video } from "../state";
import { download, duration, saveLook, startMethod, startVideo } from "../work";
import { Sheet, Slider } from "./controls";
import { Icon } from "./icons";

const ABOUT: Record<string, string> = {
  gatys: "Optimises every pixel; the classic, richest texture",
  "portrait-aware": "Keeps faces readable while it optimises",
  styfie: "Person and background apart, as Styfie does",
  semantic: "The painting's hair for hair, its skin for skin",
};

export function ExportMenu() {
  const steadiness = useSignal(0.85);
  const close = () => (menu.value = "none");
  const now = photo.value;
  if (!now) return null;
  const bare = !Object.keys(look.value.segments).length;
  const clip = video.value;
  const methods = info.value?.methods ?? [];
  return (
    <Sheet title="Export" onClose={close} class="export">
      {clip && (
        <div class="card">
          <h3>
            <Icon name="video" /> The whole clip
          </h3>
          <p class="fine">
            {clip.width} × {clip.height}, {duration(clip.seconds)}, {clip.frames} frames{clip.has_sound ? ", with its sound" : ""}
          </p>
          <Slider label="Steadiness" value={steadiness.value} step={0.05} shown={`${Math.round(steadiness.value * 100)}%`} hint="0 paints every frame for itself, 100 flickers least" onInput={(value) => (steadiness.value = value)} />
          <button type="button" class="primary" disabled={bare} onClick={() => void startVideo(steadiness.value)}>
            Render the clip
          </button>
        </div>
      )}
      <div class="card">
        <h3>
          <Icon name="photo" /> {clip ? "This frame" : "Picture"}
        </h3>
        <p class="fine">
          {now.width} × {now.height} pixels, painted again at full size. A PNG remembers its look: drop it here to go on from it.
        </p>
        <div class="pair">
          <button type="button" class={clip ? "quiet" : "primary"} disabled={!!busy.value} onClick={() => void download("png")}>
            PNG
          </button>
          <button type="button" class="quiet" disabled={!!busy.value} onClick={() => void download("jpeg")}>
            JPEG
          </button>
        </div>
      </div>
      {methods.length > 0 && (
        <div class="card">
          <h3>
            <Icon name="clock" /> Slower and finer
          </h3>
          <p class="fine">Runs in the background while you go on. Minutes rather than seconds.</p>
          <div class="methods">
            {methods.map((name) => (
              <button key={name} type="button" class="method" disabled={bare} onClick={() => void startMethod(name)}>
                <strong>{title(name)}</strong>
                <small>{ABOUT[name] ?? "Another way to paint the same look"}</small>
              </button>
            ))}
          </div>
        </div>
      )}
      <div class="card">
        <h3>
          <Icon name="list" /> Look
        </h3>
        <p class="fine">The recipe alone, for the next portrait or the command line.</p>
        <div class="pair">
          <button type="button" class="quiet" disabled={bare} onClick={saveLook}>
            Save look
          </button>
          <button
            type="button"
            class="quiet"
            disabled={bare}
            onClick={() => {
              close();
              camera.value = "live";
            }}
          >
            Wear it live
          </button>
        </div>
      </div>
    </Sheet>
  );
}
