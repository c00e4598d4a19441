import { reset, select, styleTitle, surprise, takeOff } from "../edit";
import { title } from "../segments";
import { hovered, look, menu } from "../state";
import { isDark, toggleTheme } from "../theme";
import { open, pick, saveLook } from "../work";
import { Icon } from "./icons";
import { Swatch } from "./PartsPanel";

export function LookPanel() {
  return (
    <section class="block" aria-label="Look">
      <h2>Look</h2>
      <Wearing />
      <div class="actions">
        <button type="button" class="quiet" onClick={saveLook} disabled={!Object.keys(look.value.segments).length}>
          <Icon name="file" />
          Save look
        </button>
        <button type="button" class="quiet" onClick={() => pick(".toml,.json,image/png", (files) => void open(files))}>
          <Icon name="list" />
          Load look
        </button>
        <button type="button" class="quiet narrow-only" onClick={() => void surprise()}>
          <Icon name="sparkle" />
          Surprise me
        </button>
        <button type="button" class="quiet narrow-only" onClick={reset}>
          <Icon name="reset" />
          Start over
        </button>
        <button type="button" class="quiet narrow-only" onClick={toggleTheme}>
          <Icon name={isDark() ? "sun" : "moon"} />
          {isDark() ? "Light" : "Dark"}
        </button>
        <button type="button" class="quiet narrow-only" onClick={() => (menu.value = "keys")}>
          <Icon name="help" />
          Help
        </button>
      </div>
    </section>
  );
}

/** All that is worn, to see it at a glance and to take it off. */
function Wearing() {
  const worn = Object.entries(look.value.segments);
  if (!worn.length) return <p class="fine">Nothing yet: the picture is as it was photographed.</p>;
  return (
    <ul class="wearing" aria-label="What is worn">
      {worn.map(([name, one]) => (
          <li key={name}>
            <button type="button" class="wearing-name" onClick={() => select(name)} onPointerEnter={() => (hovered.value = name)} onPointerLeave={() => (hovered.value = null)}>
              <Swatch style={one.style} />
              <span>{title(name)}</span>
              <small>{styleTitle(one.style)}</small>
            </button>
            <button type="button" class="wearing-off" aria-label={`Take the style off ${title(name).toLowerCase()}`} title="Take it off" onClick={() => takeOff(name)}>
              <Icon name="close" />
            </button>
          </li>
      ))}
    </ul>
  );
}
