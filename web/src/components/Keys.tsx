import { info, menu } from "../state";
import { Sheet } from "./controls";

const KEYS: [string, string][] = [
  ["Click", "select a part; with Shift, several"],
  ["Wheel, pinch, double-click", "zoom; drag to move"],
  ["Space, or a finger, held", "see the photo"],
  ["C", "compare before and after"],
  ["Ctrl Z, Ctrl Shift Z", "undo, redo"],
  ["S", "surprise me"],
  ["/", "search styles"],
  ["[ and ]", "previous and next style"],
  ["+ − 0", "zoom in, out, fit"],
  ["O", "open a photo, video or look"],
  ["E", "export"],
  ["Arrow keys", "move in lists and sliders"],
  ["Esc", "deselect, or close what is open"],
];

export function Keys() {
  return (
    <Sheet title="Keyboard and help" onClose={() => (menu.value = "none")}>
      <dl class="keys">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p class="fine">
        selfieart {info.value?.version}. <a href="/assets/licenses.txt" target="_blank" rel="noreferrer">Licences of the page</a>
      </p>
    </Sheet>
  );
}
