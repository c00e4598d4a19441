/** Half-precision floats (IEEE 754 binary16), which the server sends to halve the transfer. */

let table: Float32Array | null = null;

function decoded(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Little-endian binary16 octets as float32. */
export function floatsFromHalves(octets: ArrayBuffer): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, bits) => decoded(bits));
  const halves = new DataView(octets);
  const out = new Float32Array(octets.byteLength >> 1);
  for (let i = 0; i < out.length; i++) out[i] = table[halves.getUint16(2 * i, true)]!;
  return out;
}
