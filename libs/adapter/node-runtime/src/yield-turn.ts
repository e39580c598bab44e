/** Who waits for a turn, by for whom they work; those whose turn is next come first. */
const waiting = new Map<string, (() => void)[]>();

/**
 * Resolves after the other waiting work of this thread had its turn: an immediate runs after the messages and the reads
 * that completed in its round of the event loop. A round has one turn: however many callers work in slices, what arrives
 * meanwhile waits for one slice, and not for one of each caller. Those for whom work is done have turns one after the other,
 * and each of them its callers in the order in which they wait.
 */
export function yieldTurn(forWhom = ''): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.size === 0) setImmediate(nextTurn);
    const own = waiting.get(forWhom);
    if (own === undefined) waiting.set(forWhom, [resolve]);
    else own.push(resolve);
  });
}

function nextTurn(): void {
  for (const [forWhom, own] of waiting) {
    const resolve = own.shift();
    waiting.delete(forWhom);
    if (own.length > 0) waiting.set(forWhom, own);
    if (waiting.size > 0) setImmediate(nextTurn);
    resolve?.();
    return;
  }
}
