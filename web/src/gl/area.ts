/** Exact area averaging, as the library reduces pictures. */

/** Source pixels and their weights for each target pixel along one axis. */
function covers(from: number, to: number): { first: number; weights: number[] }[] {
  const scale = from / to;
  return Array.from({ length: to }, (_, i) => {
    const low = i * scale;
    const high = Math.min(from, low + scale);
    const first = Math.floor(low + 1e-9);
    const weights: number[] = [];
    for (let x = first; x < high - 1e-9; x++) weights.push((Math.min(high, x + 1) - Math.max(low, x)) / scale);
    return { first, weights };
  });
}

/** RGB octets (height, width, 3) reduced to (h, w), rounded to octets as the server's, as floats (h, w, 4) in [0, 1]. */
export function reduced(octets: Uint8Array, width: number, height: number, w: number, h: number): Float32Array {
  const columns = covers(width, w);
  const rows = covers(height, h);
  const wide = new Float32Array(height * w * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < w; x++) {
      const { first, weights } = columns[x]!;
      let at = (y * width + first) * 3;
      let r = 0;
      let g = 0;
      let b = 0;
      for (const weight of weights) {
        r += weight * octets[at]!;
        g += weight * octets[at + 1]!;
        b += weight * octets[at + 2]!;
        at += 3;
      }
      wide.set([r, g, b], (y * w + x) * 3);
    }
  }
  const out = new Float32Array(h * w * 4).fill(1);
  for (let y = 0; y < h; y++) {
    const { first, weights } = rows[y]!;
    for (let x = 0; x < w; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        weights.forEach((weight, i) => {
          sum += weight * wide[((first + i) * w + x) * 3 + c]!;
        });
        out[(y * w + x) * 4 + c] = Math.round(sum) / 255;
      }
    }
  }
  return out;
}
