import { describe, select, styleTitle } from "../edit";
import { type Part, parseColor, partsOf } from "../style_names";
import { groups, title, widerGroups } from "../segments";
import { hovered, info, look, present, selection, table, targets, uploaded } from "../state";
import { rove } from "./controls";

const PAIRS: Record<string, [string, string]> = {
  eyes: ["left-eye", "right-eye"],
  brows: ["left-brow", "right-brow"],
  ears: ["left-ear", "right-ear"],
  lips: ["upper-lip", "lower-lip"],
};

export function PartsPanel() {
  const seg = table.value;
  const here = (name: string) => (seg.members.get(name) ?? []).some((k) => (present.value >> k) & 1);
  const paired = Object.values(PAIRS).flat();
  const wide = groups(seg).filter((name) => !(name in PAIRS) && here(name) && name !== "accessories");
  const single = [...Object.keys(PAIRS), ...seg.names.filter((name) => !paired.includes(name))].filter(here);
  const order = ["background", "hair", "skin", "eyes", "brows", "nose", "lips", "mouth", "ears", "neck", "clothes"];
  const place = (name: string) => (order.indexOf(name) + 1 || 50);
  single.sort((a, b) => place(a) - place(b));
  const one = selection.value.length === 1 ? selection.value[0]! : null;
  const wider = one ? widerGroups(seg, one).filter((name) => name !== "accessories") : [];
  const sides = one && one in PAIRS ? PAIRS[one]!.filter(here) : [];
  return (
    <section class="block parts" aria-label="Parts">
      <h2>
        Part
        <span class="h2-note">{describe(targets.value)}</span>
      </h2>
      {one && (wider.length > 0 || sides.length > 0) && (
        <div class="crumbs" role="group" aria-label="Narrower and wider">
          {sides.map((name) => (
            <button key={name} type="button" onClick={() => select(name)}>
              {title(name)}
            </button>
          ))}
          <span class="crumb-here">{title(one)}</span>
          {wider.map((name) => (
            <button key={name} type="button" onClick={() => select(name)}>
              {title(name)}
            </button>
          ))}
        </div>
      )}
      <div class="chips" role="listbox" aria-label="Parts of the picture" aria-multiselectable="true" onKeyDown={rove}>
        {[...wide, ...single].map((name, index) => (
          <Chip key={name} name={name} first={index === 0} isGroup={wide.includes(name)} />
        ))}
      </div>
    </section>
  );
}

/** Light a part up. */
function point(name: string): void {
  hovered.value = name;
}

function Chip({ name, first, isGroup }: { name: string; first: boolean; isGroup: boolean }) {
  const seg = table.value;
  const own = look.value.segments[name];
  const on = selection.value.includes(name) || (name === "everything" && !selection.value.length);
  const color = seg.colors[seg.members.get(name)?.[0] ?? 0];
  return (
    <button
      type="button"
      class="chip"
      role="option"
      aria-selected={on}
      aria-label={own ? `${title(name)}, wears ${styleTitle(own.style)}` : title(name)}
      data-segment={name}
      data-group={isGroup || undefined}
      tabIndex={on || (first && !selection.value.length) ? 0 : -1}
      onClick={(event) => select(name, event.shiftKey || event.ctrlKey || event.metaKey)}
      onPointerEnter={(event) => event.pointerType === "mouse" && point(name)}
      onPointerLeave={() => (hovered.value = null)}
      onFocus={(event) => event.currentTarget.matches(":focus-visible") && point(name)}
      onBlur={() => (hovered.value = null)}
    >
      {own ? <Swatch style={own.style} /> : !isGroup && <i class="dot" style={{ background: `rgb(${color?.join()})` }} />}
      {title(name)}
    </button>
  );
}

/** The picture that stands for a style, if there is one. */
function pictureOf(style: string): string | undefined {
  return info.value?.presets.find((one) => one.name === style)?.thumbnail ?? uploaded.value.find((one) => one.id === style)?.thumbnail;
}

/** The pictures of a mix side by side, each as wide as its weight. */
export function MixPicture({ parts }: { parts: Part[] }) {
  return (
    <i class="mix-picture" aria-hidden="true">
      {parts.map(({ style, weight }) => {
        const picture = pictureOf(style);
        return <i key={style} style={{ flexGrow: weight, ...(picture && { backgroundImage: `url("${picture}")` }) }} />;
      })}
    </i>
  );
}

/** A small picture of a style. */
export function Swatch({ style }: { style: string }) {
  const picture = pictureOf(style);
  const parts = partsOf(style);
  if (parts.length > 1) {
    return (
      <i class="swatch">
        <MixPicture parts={parts} />
      </i>
    );
  }
  if (picture) return <img class="swatch" src={picture} alt="" width="20" height="20" />;
  return <i class={`swatch ${parseColor(style) ? "" : style}`} style={parseColor(style) ? { background: style } : {}} />;
}
