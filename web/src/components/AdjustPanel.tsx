import { describe, turn, turnedNow } from "../edit";
import { PLAIN } from "../look";
import { type Tool, brushSize, selection, table, targets, tool } from "../state";
import { Segmented, Slider } from "./controls";

const percent = (value: number) => `${Math.round(value * 100)}%`;

export function AdjustPanel() {
  const worn = turnedNow();
  const now = worn ?? PLAIN;
  const idle = !worn || worn.style === "original";
  return (
    <section class="block" aria-label="Adjust">
      <h2>
        Adjust
        <span class="h2-note">{idle ? "choose a style first" : describe(targets.value)}</span>
      </h2>
      <Slider label="Strength" value={now.strength} shown={percent(now.strength)} usual={1} disabled={idle} hint="How much of the style is seen" onInput={(value) => turn("strength", value)} />
      <Slider label="Keep colour" value={now.keep_color} shown={percent(now.keep_color)} usual={0} disabled={idle} hint="How much of the photo's colour stays" onInput={(value) => turn("keep_color", value)} />
      <Slider
        label="Feather"
        value={Math.sqrt(now.feather / 20)}
        shown={now.feather ? `${now.feather.toFixed(1)}%` : "off"}
        usual={0}
        disabled={idle}
        hint="Softens the border, in percent of the picture's short side"
        onInput={(value) => turn("feather", Number((20 * value * value).toFixed(2)))}
      />
      <Brush />
    </section>
  );
}

/** Correct the outline of one part. */
function Brush() {
  const name = selection.value.length === 1 ? selection.value[0]! : null;
  const usable = name !== null && table.value.names.includes(name);
  const options: { value: Tool; label: string }[] = [
    { value: "select", label: "Off" },
    { value: "add", label: "Add" },
    { value: "remove", label: "Erase" },
  ];
  return (
    <div class="brush">
      <div class="row">
        <span class="slider-name">Correct outline</span>
        {usable ? (
          <Segmented label="Correct the outline with a brush" options={options} value={tool.value} onPick={(value) => (tool.value = value)} />
        ) : (
          <span class="fine">select one part</span>
        )}
      </div>
      {usable && tool.value !== "select" && (
        <Slider label="Brush" value={brushSize.value} min={1} max={25} step={0.5} shown={`${brushSize.value}%`} onInput={(value) => (brushSize.value = value)} />
      )}
    </div>
  );
}
