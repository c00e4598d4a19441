import { change } from "../edit";
import { LOOK_OPTIONS, type Look } from "../generated";
import { placeOfTau, tauAt } from "../look";
import { live, look, photo } from "../state";
import { Segmented, Slider } from "./controls";
import { Icon } from "./icons";

export function tauWords(tau: number): string {
  if (!Number.isFinite(tau)) return "binary";
  return tau === 3 ? "3, usual" : String(tau);
}

export function PicturePanel() {
  const now = look.value;
  const strokes = LOOK_OPTIONS.stroke.words as Extract<Look["stroke"], string>[];
  return (
    <section class="block" aria-label="Whole picture">
      <h2>Whole picture</h2>
      <Slider
        label="Edges τ"
        value={placeOfTau(now.tau)}
        step={0.005}
        shown={tauWords(now.tau)}
        usual={placeOfTau(3)}
        hint="How sharply one style ends and the next begins"
        onInput={(value) => change({ tau: tauAt(value) }, "tau")}
      />
      <div class="slider-ends" aria-hidden="true">
        <span>soft</span>
        <span>sharp</span>
      </div>
      <div class="row">
        <span class="slider-name">Strokes</span>
        <Segmented
          label="Size of the strokes"
          options={strokes.map((value) => ({ value, label: value.charAt(0).toUpperCase() + value.slice(1) }))}
          value={typeof now.stroke === "string" ? now.stroke : null}
          onPick={(stroke) => change({ stroke })}
        />
        <button type="button" class="quiet square" aria-label="New strokes" title="Paint the strokes anew" onClick={() => change({ seed: (now.seed + 1) % 1000 })}>
          <Icon name="dice" />
        </button>
      </div>
      <Faces />
      {!live.value && <p class="fine">This browser has no WebGL2: the server blends the picture, so changes take a moment.</p>}
      {now.blend === "features" && <p class="fine">This look mixes its styles inside the network; the server shows it.</p>}
    </section>
  );
}

/** Who takes part, where there is a choice. */
function Faces() {
  const count = photo.value?.faces.length ?? 0;
  if (count < 2) return null;
  const options = [
    { value: "all", label: `All ${count}` },
    { value: "largest", label: "Largest" },
    ...Array.from({ length: Math.min(3, count - 2) }, (_, i) => ({ value: String(i + 2), label: `${i + 2} largest` })),
  ];
  return (
    <div class="row">
      <span class="slider-name">Faces</span>
      <Segmented
        label="Faces that take part"
        options={options}
        value={String(look.value.faces)}
        onPick={(value) => change({ faces: value === "all" || value === "largest" ? value : Number(value) })}
      />
    </div>
  );
}
