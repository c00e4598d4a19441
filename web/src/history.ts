/** Undo and redo over immutable values. */

export interface History<T> {
  past: readonly T[];
  present: T;
  future: readonly T[];
  /** Changes with the same tag follow each other as one step: a slider that is dragged. */
  tag: string | null;
}

const LONGEST = 100;

export function begin<T>(present: T): History<T> {
  return { past: [], present, future: [], tag: null };
}

/** The history with a new present; what was undone is gone. */
export function record<T>(history: History<T>, present: T, tag: string | null = null): History<T> {
  if (present === history.present) return history;
  if (tag !== null && tag === history.tag) return { ...history, present, future: [] };
  return { past: [...history.past, history.present].slice(-LONGEST), present, future: [], tag };
}

/** The next change begins a step of its own, whatever its tag. */
export function settle<T>(history: History<T>): History<T> {
  return history.tag === null ? history : { ...history, tag: null };
}

export function undo<T>(history: History<T>): History<T> {
  const last = history.past.at(-1);
  if (last === undefined) return history;
  return { past: history.past.slice(0, -1), present: last, future: [history.present, ...history.future], tag: null };
}

export function redo<T>(history: History<T>): History<T> {
  const [next, ...future] = history.future;
  if (next === undefined) return history;
  return { past: [...history.past, history.present], present: next, future, tag: null };
}
