import { redo, reset, surprise, undo } from "../edit";
import { busy, compare, history, jobs, menu, photo } from "../state";
import { isDark, toggleTheme } from "../theme";
import { ANY_FILE, open, pick } from "../work";
import { IconButton } from "./controls";
import { Icon, Mark } from "./icons";

export function TopBar() {
  const { past, future } = history.value;
  const running = jobs.value.filter((job) => job.state === "queued" || job.state === "running").length;
  return (
    <header class="topbar">
      <h1 class="brand">
        <Mark />
        <span>selfieart</span>
      </h1>
      {photo.value && (
        <div class="topbar-tools" role="toolbar" aria-label="Edit">
          <IconButton icon="undo" label="Undo" keys="Ctrl Z" disabled={!past.length} onClick={undo} />
          <IconButton icon="redo" label="Redo" keys="Ctrl Shift Z" disabled={!future.length} onClick={redo} />
          <span class="rule" />
          <IconButton
            icon="split"
            label="Compare before and after"
            keys="C"
            pressed={compare.value === "split"}
            onClick={() => (compare.value = compare.value === "split" ? "off" : "split")}
          />
          <IconButton icon="reset" label="Start over" class="wide-only" onClick={reset} />
          <button type="button" class="quiet" onClick={() => void surprise()} title="Surprise me (S)" aria-label="Surprise me">
            <Icon name="sparkle" />
            <span class="wide-only">Surprise me</span>
          </button>
        </div>
      )}
      <div class="topbar-end">
        <IconButton icon={isDark() ? "sun" : "moon"} label={isDark() ? "Light theme" : "Dark theme"} class="wide-only" onClick={toggleTheme} />
        <IconButton icon="help" label="Keyboard and help" keys="?" class="wide-only" onClick={() => (menu.value = "keys")} />
        {photo.value && <IconButton icon="photo" label="Open another photo, video or look" keys="O" onClick={() => pick(ANY_FILE, (files) => void open(files))} />}
        {(photo.value || jobs.value.length > 0) && (
          <IconButton icon="clock" label="Jobs" badge={running} pressed={menu.value === "jobs"} onClick={() => (menu.value = "jobs")} />
        )}
        {photo.value && (
          <button type="button" class="primary" disabled={!!busy.value} onClick={() => (menu.value = "export")}>
            <Icon name="download" />
            <span>Export</span>
          </button>
        )}
      </div>
    </header>
  );
}
