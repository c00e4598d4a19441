import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { describe, styleTitle, turnedNow, wear, wornNow } from "../edit";
import { type Part, parseColor, partsOf } from "../style_names";
import { busy, dropping, info, look, painting, panel, targets, uploaded } from "../state";
import { PICTURES, open, pick } from "../work";
import { rove } from "./controls";
import { Icon } from "./icons";
import { MixPicture } from "./PartsPanel";

interface Tile {
  parts?: Part[];
  style: string;
  title: string;
  by: string;
  picture?: string;
  look?: string;
}

const EFFECTS: Tile[] = [
  { style: "original", title: "Original", by: "as photographed", look: "original" },
  { style: "grey", title: "Grey", by: "without colour", look: "grey" },
  { style: "blur", title: "Blur", by: "out of focus", look: "blur" },
];

/** A mouse wheel moves the strip along. */
function sideways(event: WheelEvent): void {
  if (Math.abs(event.deltaX) < Math.abs(event.deltaY)) (event.currentTarget as HTMLElement).scrollLeft += event.deltaY;
}

export function StyleStrip() {
  const words = useSignal("");
  const list = useRef<HTMLDivElement>(null);
  // Where only parts of the selection wear something, no one style is it.
  const worn = wornNow()?.style ?? (turnedNow() ? "" : "original");
  useEffect(() => {
    const tile = list.current?.querySelector("[aria-checked=true]");
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    tile?.scrollIntoView({ block: "nearest", inline: "nearest", behavior: calm ? "auto" : "smooth" });
  }, [worn, panel.value]);
  const own: Tile[] = uploaded.value.map((one) => ({ style: one.id, title: one.name, by: "your picture", picture: one.thumbnail }));
  const presets: Tile[] = (info.value?.presets ?? []).map((one) => ({
    style: one.name,
    title: one.title,
    by: [one.artist === "artist not recorded" ? "" : one.artist, one.year].filter(Boolean).join(", "),
    picture: one.thumbnail,
  }));
  const mixes: Tile[] = [...new Set(Object.values(look.value.segments).map((one) => one.style))]
    .map((style) => ({ style, parts: partsOf(style), title: styleTitle(style), by: "a mix" }))
    .filter(({ parts }) => parts.length > 1);
  const wanted = words.value.trim().toLowerCase().split(/\s+/);
  const tiles = [...(words.value ? [] : EFFECTS), ...mixes, ...own, ...presets].filter((tile) =>
    wanted.every((word) => `${tile.title} ${tile.by} ${tile.style}`.toLowerCase().includes(word)),
  );
  const color = parseColor(worn);
  const canOwn = !!info.value?.any_style;
  const drop = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    dropping.value = "nothing";
    void open(event.dataTransfer?.files ?? [], "style");
  };
  return (
    <section
      class="strip"
      aria-label="Styles"
      data-hot={dropping.value === "style" || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        event.stopPropagation();
        dropping.value = canOwn ? "style" : "nothing";
      }}
      onDrop={drop}
    >
      <header class="strip-head">
        <h2>
          {dropping.value === "style" ? "Drop a picture: its style goes on " : "Style for "}
          <em>{describe(targets.value)}</em>
        </h2>
        <label class="search">
          <Icon name="search" />
          <input
            id="style-search"
            type="search"
            placeholder="Search styles"
            aria-label="Search styles"
            value={words.value}
            onInput={(event) => (words.value = event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") words.value = "";
              if (event.key === "ArrowDown" || event.key === "Enter") list.current?.querySelector<HTMLElement>(".tile")?.focus();
            }}
          />
        </label>
      </header>
      <div class="tiles" role="radiogroup" aria-label="Style" ref={list} onKeyDown={rove} onWheel={sideways}>
        {canOwn && !words.value && (
          <button type="button" class="tile add" tabIndex={-1} disabled={!!busy.value} onClick={() => pick(PICTURES, (files) => void open(files, "style"))}>
            <span class="tile-picture">
              <Icon name="plus" />
            </span>
            <span class="tile-title">Your picture</span>
          </button>
        )}
        {!words.value && (
          <label class="tile" data-on={color ? "" : undefined}>
            <span class="tile-picture color" style={color ? { background: worn } : {}}>
              <input type="color" aria-label="One colour" value={color ? worn : "#d9482b"} onInput={(event) => wear(event.currentTarget.value)} />
            </span>
            <span class="tile-title">Colour</span>
          </label>
        )}
        {tiles.map((tile, index) => (
          <button
            key={tile.style}
            type="button"
            class="tile"
            role="radio"
            aria-checked={tile.style === worn}
            aria-busy={painting.value.includes(tile.style) && tile.style === worn}
            aria-label={`${tile.title}${tile.by ? `, ${tile.by}` : ""}`}
            title={`${tile.title}${tile.by ? `\n${tile.by}` : ""}`}
            tabIndex={tile.style === worn || (index === 0 && !tiles.some((other) => other.style === worn)) ? 0 : -1}
            data-style={tile.style}
            onClick={() => wear(tile.style)}
          >
            <span class={`tile-picture ${tile.look ?? ""}`}>
              {tile.parts && <MixPicture parts={tile.parts} />}
              {tile.picture && <img src={tile.picture} alt="" loading="lazy" width="128" height="128" />}
            </span>
            <span class="tile-title">{tile.title}</span>
          </button>
        ))}
        {!tiles.length && <p class="fine">No style is called that.</p>}
      </div>
    </section>
  );
}
