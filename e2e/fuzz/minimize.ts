/** Max runs of one minimization. */
const MAX_RUNS = 3000;

/**
 * Removes parts of an input, from halves down to bytes, while it still fails in the same way. `fails` says whether an
 * input does.
 */
export async function minimized(
  input: Buffer,
  fails: (candidate: Buffer) => Promise<boolean>,
  maxMs: number,
): Promise<Buffer> {
  const endMs = performance.now() + maxMs;
  let best = input;
  let runs = 0;
  for (let part = best.length >> 1; part >= 1; part = part === 1 ? 0 : part >> 1) {
    for (let at = 0; at < best.length; ) {
      if (runs++ === MAX_RUNS || performance.now() > endMs) return best;
      const candidate = Buffer.concat([best.subarray(0, at), best.subarray(at + part)]);
      if (await fails(candidate)) best = candidate;
      else at += part;
    }
  }
  return best;
}
