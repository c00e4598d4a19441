/** The few controls that everything is made of. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { settleStep } from "../edit";
import { Icon, type IconName } from "./icons";

interface SliderProps {
  label: string;
  value: number;
  min?: number;
  max?: number;
  step?: number;
  /** As a person reads the value. */
  shown: string;
  hint?: string;
  usual?: number;
  disabled?: boolean;
  onInput: (value: number) => void;
}

export function Slider({ label, value, min = 0, max = 1, step = 0.01, shown, hint, usual, disabled, onInput }: SliderProps) {
  const fill = `${((value - min) / (max - min)) * 100}%`;
  return (
    <label class="slider" data-disabled={disabled || undefined}>
      <span class="slider-name">{label}</span>
      <output class="slider-value">{shown}</output>
      <input
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        disabled={disabled}
        aria-label={label}
        aria-valuetext={shown}
        title={hint}
        style={{ "--fill": fill }}
        onInput={(event) => onInput(Number(event.currentTarget.value))}
        onChange={settleStep}
        onDblClick={() => {
          if (usual === undefined) return;
          onInput(usual);
          settleStep();
        }}
      />
    </label>
  );
}

interface SegmentedProps<T extends string> {
  label: string;
  options: { value: T; label: string }[];
  value: T | null;
  onPick: (value: T) => void;
}

export function Segmented<T extends string>({ label, options, value, onPick }: SegmentedProps<T>) {
  return (
    <div class="segmented" role="radiogroup" aria-label={label} onKeyDown={rove}>
      {options.map((option, index) => (
        <button
          key={option.value}
          type="button"
          role="radio"
          aria-checked={option.value === value}
          tabIndex={option.value === value || (index === 0 && !options.some((o) => o.value === value)) ? 0 : -1}
          onClick={() => onPick(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}

interface ButtonProps {
  icon: IconName;
  label: string;
  onClick?: () => void;
  pressed?: boolean;
  disabled?: boolean;
  badge?: number;
  keys?: string;
  class?: string;
}

/** A button that is only an icon; its name is its tooltip. */
export function IconButton({ icon, label, onClick, pressed, disabled, badge, keys, class: extra = "" }: ButtonProps) {
  return (
    <button
      type="button"
      class={`icon-button ${extra}`}
      aria-label={label}
      aria-pressed={pressed}
      title={keys ? `${label} (${keys})` : label}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
      {badge ? <span class="badge">{badge}</span> : null}
    </button>
  );
}

/** Arrow keys move between the buttons of a group; the group is one stop of the Tab key. */
export function rove(event: KeyboardEvent): void {
  const box = event.currentTarget as HTMLElement;
  const buttons = [...box.querySelectorAll<HTMLElement>("button:not(:disabled)")];
  const at = buttons.indexOf(document.activeElement as HTMLElement);
  const steps: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  let next = -1;
  if (event.key in steps && at >= 0) next = (at + steps[event.key]! + buttons.length) % buttons.length;
  if (event.key === "Home") next = 0;
  if (event.key === "End") next = buttons.length - 1;
  if (next < 0) return;
  event.preventDefault();
  event.stopPropagation();
  for (const button of buttons) button.tabIndex = -1;
  const chosen = buttons[next]!;
  chosen.tabIndex = 0;
  chosen.focus({ preventScroll: true });
  chosen.scrollIntoView({ block: "nearest", inline: "nearest" });
}

interface SheetProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  class?: string;
}

/** A panel over the page; Escape or a click beside it closes it, and the focus goes back where it was. */
export function Sheet({ title, onClose, children, class: extra = "" }: SheetProps) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current?.focus();
    return () => before?.focus?.();
  }, []);
  const keepInside = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      onClose();
    }
    if (event.key !== "Tab") return;
    const stops = [...box.current!.querySelectorAll<HTMLElement>("button:not(:disabled), a[href], input, [tabindex='0']")];
    const edge = event.shiftKey ? stops[0] : stops.at(-1);
    if (document.activeElement === edge || document.activeElement === box.current) {
      event.preventDefault();
      (event.shiftKey ? stops.at(-1) : stops[0])?.focus();
    }
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the sheet has a button to close it, and Escape
    // biome-ignore lint/a11y/useKeyWithClickEvents: the same
    <div class="veil" onClick={(event) => event.target === event.currentTarget && onClose()}>
      <div class={`sheet ${extra}`} role="dialog" aria-modal="true" aria-label={title} tabIndex={-1} ref={box} onKeyDown={keepInside}>
        <header>
          <h2>{title}</h2>
          <IconButton icon="close" label="Close" onClick={onClose} />
        </header>
        {children}
      </div>
    </div>
  );
}
