import { announcement, busy, dismiss, toasts } from "../state";
import { IconButton } from "./controls";

export function Toasts() {
  return (
    <>
      <div class="visually-hidden" role="status" aria-live="polite">
        {announcement.value}
      </div>
      <div class="toasts">
        {busy.value && (
          <div class="toast">
            <span class="spinner" />
            <span>{busy.value.text}</span>
            {busy.value.share !== null && <progress max={1} value={busy.value.share} />}
          </div>
        )}
        {toasts.value.map((toast) => (
          <div key={toast.id} class="toast" data-kind={toast.kind} role={toast.kind === "error" ? "alert" : undefined}>
            <span>{toast.text}</span>
            {toast.action && (
              <button
                type="button"
                class="toast-action"
                onClick={() => {
                  toast.action!.run();
                  dismiss(toast.id);
                }}
              >
                {toast.action.label}
              </button>
            )}
            <IconButton icon="close" label="Dismiss" onClick={() => dismiss(toast.id)} />
          </div>
        ))}
      </div>
    </>
  );
}
