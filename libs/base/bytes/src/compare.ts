/** Bytewise order, as the log, the stores and the key-value port sort. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** The smallest key above every key that starts with `prefix`. */
export function afterPrefix(prefix: Uint8Array): Uint8Array {
  const end = Uint8Array.from(prefix);
  for (let i = end.length - 1; i >= 0; i--) {
    if (end[i] < 0xff) {
      end[i]++;
      return end.subarray(0, i + 1);
    }
  }
  // All 0xff: only a run of 0xff that is longer than any key sorts above every extension.
  return new Uint8Array(prefix.length + 64).fill(0xff);
}
