/** Who waits for a turn, the longest first. */
const waiting: (() => void)[] = [];

/**
 * Resolves after the other waiting work of this thread had its turn: an immediate runs after the messages and the reads
 * that completed in its round of the event loop. A round has one turn: however many callers work in slices, what arrives
 * meanwhile waits for one slice, and not for one of each caller.
 */
export function yieldTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(nextTurn);
  });
}

function nextTurn(): void {
  const resolve = waiting.shift();
  if (waiting.length > 0) setImmediate(nextTurn);
  resolve?.();
}
