/**
 * Cuts a stream into parts of exactly `partBytes`, of which the last one may be shorter, or empty if it is the only one. A
 * part is valid until the next one is asked for: all share one buffer, which is the memory of the stream.
 */
export async function* partsOf(
  chunks: AsyncIterable<Uint8Array>,
  partBytes: number,
): AsyncGenerator<{ bytes: Uint8Array; isLast: boolean }> {
  const buffer = Buffer.allocUnsafe(partBytes);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      // A full part waits for a further byte: only then it is known not to be the last one.
      if (filled === partBytes) {
        yield { bytes: buffer, isLast: false };
        filled = 0;
      }
      const to = Math.min(chunk.length, from + partBytes - filled);
      buffer.set(chunk.subarray(from, to), filled);
      filled += to - from;
      from = to;
    }
  }
  yield { bytes: buffer.subarray(0, filled), isLast: true };
}
