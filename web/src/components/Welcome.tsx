import { busy, camera, info } from "../state";
import { ANY_FILE, open, openSample, pick } from "../work";
import { Icon } from "./icons";

const SHOWN = ["starry-night", "wave", "candy", "the-scream", "composition-vii", "udnie", "mosaic", "rain-princess", "la-muse"];

export function Welcome() {
  const presets = info.value?.presets ?? [];
  const shown = SHOWN.flatMap((name) => presets.find((preset) => preset.name === name) ?? []);
  const waiting = !!busy.value || !info.value;
  return (
    <main class="welcome">
      <div class="welcome-words">
        <h2>
          Your portrait,
          <br />
          part by part.
        </h2>
        <p class="lead">Stars in the hair, waves behind you, your own eyes. Give every part of a picture a style of its own.</p>
        <button type="button" class="dropzone" disabled={waiting} onClick={() => pick(ANY_FILE, (files) => void open(files))}>
          <Icon name="photo" />
          <span>
            <strong>Choose a photo</strong>
            <small>or drop or paste one here — a video works too</small>
          </span>
        </button>
        <div class="welcome-more">
          <button type="button" class="quiet" disabled={waiting} onClick={() => void openSample()}>
            <Icon name="face" />
            Try the sample
          </button>
          <button type="button" class="quiet" disabled={waiting} onClick={() => (camera.value = "photo")}>
            <Icon name="camera" />
            Use the camera
          </button>
        </div>
        <p class="fine">Everything happens on this computer. Nothing leaves it.</p>
      </div>
      <div class="welcome-wall" aria-hidden="true">
        {shown.map((preset) => (
          <img key={preset.name} src={preset.thumbnail} alt="" width="256" height="256" />
        ))}
      </div>
    </main>
  );
}
