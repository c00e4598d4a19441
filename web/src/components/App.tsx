import { useEffect } from "preact/hooks";
import { listenToKeys } from "../keys";
import type { Scene } from "../scene";
import { type Panel, camera, dropping, menu, panel, photo } from "../state";
import { open } from "../work";
import { AdjustPanel } from "./AdjustPanel";
import { Camera } from "./Camera";
import { rove } from "./controls";
import { ExportMenu } from "./ExportMenu";
import { Icon, type IconName } from "./icons";
import { JobsPanel } from "./JobsPanel";
import { Keys } from "./Keys";
import { LookPanel } from "./LookPanel";
import { PartsPanel } from "./PartsPanel";
import { PicturePanel } from "./PicturePanel";
import { Stage } from "./Stage";
import { StyleStrip } from "./StyleStrip";
import { Toasts } from "./Toasts";
import { TopBar } from "./TopBar";
import { Welcome } from "./Welcome";

const TABS: { value: Panel; label: string; icon: IconName }[] = [
  { value: "styles", label: "Styles", icon: "palette" },
  { value: "parts", label: "Parts", icon: "face" },
  { value: "adjust", label: "Adjust", icon: "sliders" },
  { value: "picture", label: "Picture", icon: "frame" },
];

export function App({ scene }: { scene: Scene }) {
  useEffect(() => {
    const ends = new AbortController();
    const { signal } = ends;
    window.addEventListener("paste", (event) => event.clipboardData?.files.length && void open(event.clipboardData.files), { signal });
    window.addEventListener(
      "dragover",
      (event) => {
        event.preventDefault();
        dropping.value = "picture";
      },
      { signal },
    );
    window.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) dropping.value = "nothing";
    }, { signal });
    window.addEventListener(
      "drop",
      (event) => {
        event.preventDefault();
        dropping.value = "nothing";
        void open(event.dataTransfer?.files ?? []);
      },
      { signal },
    );
    listenToKeys(signal);
    return () => ends.abort();
  }, []);
  const isOpen = !!photo.value;
  return (
    <div class="app" data-open={isOpen || undefined} data-panel={panel.value}>
      <TopBar />
      {!isOpen && <Welcome />}
      <div class="studio" hidden={!isOpen}>
        <Stage scene={scene} />
        {isOpen && (
          <>
            <Tabs />
            <StyleStrip />
            <aside class="panel" aria-label="Design">
              <PartsPanel />
              <AdjustPanel />
              <PicturePanel />
              <LookPanel />
            </aside>
          </>
        )}
      </div>
      {dropping.value === "picture" && (
        <div class="drop-veil" aria-hidden="true">
          <p>
            <Icon name="download" />
            Drop a photo, a video or a look
          </p>
        </div>
      )}
      {menu.value === "export" && <ExportMenu />}
      {menu.value === "jobs" && <JobsPanel />}
      {menu.value === "keys" && <Keys />}
      {camera.value !== "off" && <Camera />}
      <Toasts />
    </div>
  );
}

/** Which sheet a phone shows; wide screens show them all. */
function Tabs() {
  return (
    <div class="tabs" role="tablist" aria-label="Tools" onKeyDown={rove}>
      {TABS.map((tab) => (
        <button
          key={tab.value}
          type="button"
          role="tab"
          aria-selected={panel.value === tab.value}
          tabIndex={panel.value === tab.value ? 0 : -1}
          onClick={() => (panel.value = tab.value)}
        >
          <Icon name={tab.icon} />
          {tab.label}
        </button>
      ))}
    </div>
  );
}
