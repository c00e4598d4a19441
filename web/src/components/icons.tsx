/** Icons drawn for this page: 20 x 20, one stroke width. */

const PATHS = {
  undo: "M7.5 4 4 7.5 7.5 11M4 7.5h7.5a4.5 4.5 0 0 1 0 9H8",
  redo: "M12.5 4 16 7.5 12.5 11M16 7.5H8.5a4.5 4.5 0 0 0 0 9H12",
  split: "M3.5 5h13v10h-13zM10 2.5v15M12.4 7.5h1.8M12.4 10h1.8M12.4 12.5h1.8",
  eye: "M2.5 10S5.5 5 10 5s7.5 5 7.5 5-3 5-7.5 5-7.5-5-7.5-5zM10 12.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z",
  sparkle: "M9 3.5 10.6 8 15 9.5 10.6 11 9 15.5 7.4 11 3 9.5 7.4 8zM15.5 3v3M14 4.5h3M15.8 13.8v2.6M14.5 15.1h2.6",
  download: "M10 3.5v9M6.5 9.5 10 13l3.5-3.5M4 16.5h12",
  camera: "M3 6.5h3l1.2-2h5.6l1.2 2h3v9H3zM10 13.4a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4z",
  photo: "M3.5 4h13v12h-13zM3.5 13l3.8-3.8 3.2 3.2 2-2 4 4M12.8 8.2a.9.9 0 1 0 0-1.8.9.9 0 0 0 0 1.8z",
  moon: "M16 11.6A6.6 6.6 0 0 1 8.4 4 6.6 6.6 0 1 0 16 11.6z",
  sun: "M10 13.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4zM10 2.5v1.6M10 15.9v1.6M2.5 10h1.6M15.9 10h1.6M4.7 4.7l1.1 1.1M14.2 14.2l1.1 1.1M15.3 4.7l-1.1 1.1M5.8 14.2l-1.1 1.1",
  search: "M8.8 14a5.2 5.2 0 1 0 0-10.4 5.2 5.2 0 0 0 0 10.4zM12.6 12.6 16.5 16.5",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  close: "M5 5l10 10M15 5 5 15",
  check: "M4 10.5l4 4 8-9",
  fit: "M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4",
  brush: "M16.5 3.5 9 11M8.6 10.2c-2.2-.3-3.6 1-3.8 3-.1 1.4-.8 2.3-2 2.8 3.6 1.2 7.5.2 7.7-3.2zM16.5 3.5l-6 8",
  erase: "M8 15.5 3.5 11 11 3.5l5.5 5.5-6.5 6.5H8zM7 7.5l5.5 5.5M8 15.5h8.5",
  list: "M7 5.5h10M7 10h10M7 14.5h10M3.5 5.5h.01M3.5 10h.01M3.5 14.5h.01",
  palette: "M10 3a7 7 0 1 0 0 14c1.3 0 1.7-.9 1.3-1.8-.5-1.2.2-2.2 1.5-2.2H15c1.3 0 2-1 2-2.6C17 6.3 13.9 3 10 3zM6.5 10h.01M8 6.8h.01M12 6.8h.01",
  face: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM7.5 8.5h.01M12.5 8.5h.01M7.2 12.2c1.6 1.6 4 1.6 5.6 0",
  sliders: "M3.5 6h6M13.5 6h3M3.5 14h3M10.5 14h6M11.5 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM8.5 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  frame: "M3.5 3.5h13v13h-13zM6.5 6.5h7v7h-7z",
  clock: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 6v4l2.6 1.8",
  video: "M3 5.5h10v9H3zM13 8.8l4-2.3v7l-4-2.3z",
  dice: "M4 4h12v12H4zM7.5 7.5h.01M12.5 7.5h.01M10 10h.01M7.5 12.5h.01M12.5 12.5h.01",
  file: "M5 3h6.5L15 6.5V17H5zM11.5 3v3.5H15",
  reset: "M4.5 8A6 6 0 1 1 4 10.5M4.5 4v4h4",
  keyboard: "M2.5 5.5h15v9h-15zM5.5 8.5h.01M8.5 8.5h.01M11.5 8.5h.01M14.5 8.5h.01M6.5 11.5h7",
  help: "M7.8 7.8c0-2.9 4.6-2.9 4.6 0 0 1.8-2.3 2-2.3 3.8M10.1 14.2h.01M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="var(--accent)" />
      <path d="M16 6a8 8 0 0 1 8 8c0 7-4 12-8 12V6z" fill="#fff" />
      <path d="M16 6a8 8 0 0 0-8 8c0 7 4 12 8 12" fill="none" stroke="#fff" stroke-width="2" />
    </svg>
  );
}
