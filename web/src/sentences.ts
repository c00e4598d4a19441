/** Sentences that say what is wrong and what to do, as the Python library words them in errors.py. */

/** Text that fits in a sentence: one line, nothing invisible, not too long. */
export function printable(text: string, longest = 100): string {
  const shown = [...text].map((c) => (c === " " || !/[\p{C}\p{Z}]/u.test(c) ? c : "?"));
  return shown.length <= longest ? shown.join("") : `${shown.slice(0, longest - 1).join("")}…`;
}

/** The error for a name that does not exist, with the nearest existing name. */
export function unknown(kind: string, name: string, known: readonly string[], listing = ""): Error {
  const near = nearest(name.toLowerCase(), known);
  const cure = near ? `did you mean '${near}'?` : listing || `choose one of ${known.join(", ")}`;
  return new Error(`Unknown ${kind} '${printable(name)}': ${cure}${/[?.]$/.test(cure) ? "" : "."}`);
}

/** The most alike of some names, if one is alike enough. */
export function nearest(word: string, names: readonly string[], cutoff = 0.6): string | null {
  let best: string | null = null;
  let most = cutoff;
  for (const name of names) {
    const ratio = likeness(name, word);
    if (ratio > most || (ratio === most && (best === null || name > best))) [best, most] = [name, ratio];
  }
  return best;
}

/** Share of two texts that lies in common blocks, after Ratcliff and Obershelp, 0..1. */
export function likeness(a: string, b: string): number {
  return a.length + b.length ? (2 * common(a, b)) / (a.length + b.length) : 1;
}

function common(a: string, b: string): number {
  let length = 0;
  let end = { a: 0, b: 0 };
  let before = new Map<number, number>();
  for (let i = 0; i < a.length; i++) {
    const now = new Map<number, number>();
    for (let j = 0; j < b.length; j++) {
      if (a[i] !== b[j]) continue;
      const run = (before.get(j - 1) ?? 0) + 1;
      now.set(j, run);
      if (run > length) [length, end] = [run, { a: i + 1, b: j + 1 }];
    }
    before = now;
  }
  if (!length) return 0;
  return common(a.slice(0, end.a - length), b.slice(0, end.b - length)) + length + common(a.slice(end.a), b.slice(end.b));
}
