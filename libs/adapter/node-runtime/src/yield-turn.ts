import { setImmediate as nextImmediate } from 'node:timers/promises';

/**
 * Resolves after the other waiting work of this thread had its turn: an immediate runs after the messages and the reads
 * that completed in its round of the event loop.
 */
export async function yieldTurn(): Promise<void> {
  await nextImmediate();
}
