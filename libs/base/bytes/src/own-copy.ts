/**
 * Copies bytes into memory of their own. Use it for what is kept for long: a small Buffer that `Buffer.from` returns is part
 * of a block of 8 KiB, which stays in memory as a whole as long as any part of it does.
 */
export function ownCopy(bytes: Uint8Array): Buffer<ArrayBuffer> {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
