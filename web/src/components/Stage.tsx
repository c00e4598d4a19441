import { useEffect, useRef } from "preact/hooks";
import { title } from "../segments";
import type { Scene } from "../scene";
import { StagePointer } from "../pointer";
import { brushSize, compare, divider, frame, hovered, look, painting, photo, selection, table, tool, view } from "../state";
import { styleTitle } from "../edit";
import { hoverAt, refit, room, zoomBy, zoomShown } from "../zoom";
import { IconButton } from "./controls";

export function Stage({ scene }: { scene: Scene }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current!;
    scene.onLoad = () => {
      refit(true);
      scene.flash();
    };
    const detach = scene.attach(element);
    room.value = { width: element.clientWidth, height: element.clientHeight };
    const sizes = new ResizeObserver(() => {
      room.value = { width: element.clientWidth, height: element.clientHeight };
      refit();
    });
    sizes.observe(element);
    const unlisten = new StagePointer(element, scene).listen();
    return () => {
      unlisten();
      sizes.disconnect();
      detach();
    };
  }, [scene]);
  const what = photo.value;
  const label = what ? `${what.name || "Your portrait"}. ${describeLook()}` : "No picture yet";
  return (
    <section class="stage" aria-label="Picture" data-tool={tool.value}>
      <canvas ref={canvas} tabIndex={0} role="img" aria-label={label} />
      <Divider />
      <BrushRing />
      <HoverName />
      {painting.value.length > 0 && (
        <div class="stage-status">
          <span class="spinner" />
          Painting {styleTitle(painting.value[0]!)}
        </div>
      )}
      {what && !painting.value.length && !Object.keys(look.value.segments).length && !selection.value.length && (
        <div class="stage-status hint">Tap a part of the picture, then choose a style</div>
      )}
      {what && (
        <div class="zoom" role="toolbar" aria-label="Zoom">
          <IconButton icon="minus" label="Zoom out" keys="−" onClick={() => zoomBy(1 / 1.5)} />
          <button type="button" class="zoom-value" title="Fit to the screen (0)" onClick={() => refit(true)}>
            {zoomShown.value}
          </button>
          <IconButton icon="plus" label="Zoom in" keys="+" onClick={() => zoomBy(1.5)} />
        </div>
      )}
    </section>
  );
}

function describeLook(): string {
  const worn = Object.entries(look.value.segments).map(([name, one]) => `${title(name)}: ${styleTitle(one.style)}`);
  return worn.length ? worn.join(", ") : "As photographed.";
}

/** Name of the part under the pointer, beside it. */
function HoverName() {
  const at = hoverAt.value;
  if (!hovered.value || !at || tool.value !== "select") return null;
  const name = hovered.value;
  const index = table.value.names.indexOf(name);
  const color = table.value.colors[index];
  return (
    <div class="hover-name" style={{ transform: `translate(${Math.round(at.x + 14)}px, ${Math.round(at.y + 18)}px)` }}>
      {color && <i class="dot" style={{ background: `rgb(${color.join()})` }} />}
      {title(name)}
    </div>
  );
}

function BrushRing() {
  const at = hoverAt.value;
  if (tool.value === "select" || !at) return null;
  const { width, height } = frame.value;
  const size = Math.max(4, (brushSize.value / 100) * Math.min(width, height) * view.value.scale);
  return (
    <div
      class="brush-ring"
      data-tool={tool.value}
      style={{ width: `${size}px`, height: `${size}px`, transform: `translate(${at.x - size / 2}px, ${at.y - size / 2}px)` }}
    />
  );
}

function Divider() {
  if (compare.value !== "split" || !photo.value) return null;
  const { width, height } = frame.value;
  const { x, y, scale } = view.value;
  const move = (value: number) => (divider.value = Math.min(1, Math.max(0, value)));
  const drag = (event: PointerEvent) => {
    const handle = event.currentTarget as HTMLElement;
    handle.setPointerCapture(event.pointerId);
    handle.onpointermove = (moved) => {
      const box = handle.parentElement!.getBoundingClientRect();
      move((moved.clientX - box.left - x) / (width * scale));
    };
    handle.onpointerup = handle.onpointercancel = () => (handle.onpointermove = null);
  };
  return (
    <div
      class="divider"
      role="slider"
      tabIndex={0}
      aria-label="Before and after"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(divider.value * 100)}
      aria-valuetext={`${Math.round(divider.value * 100)} percent shows the photo`}
      style={{ left: `${x + divider.value * width * scale}px`, top: `${Math.max(0, y)}px`, height: `${Math.min(height * scale, room.value.height)}px` }}
      onPointerDown={drag}
      onKeyDown={(event) => {
        const steps: Record<string, number> = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 };
        if (!(event.key in steps)) return;
        event.preventDefault();
        move(divider.value + steps[event.key]!);
      }}
    >
      <span class="divider-knob" aria-hidden="true" />
      <span class="divider-word before" aria-hidden="true">Photo</span>
      <span class="divider-word after" aria-hidden="true">Art</span>
    </div>
  );
}
