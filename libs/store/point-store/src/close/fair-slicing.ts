import type { Slicing } from '@tidemark/ports';

/** A slice of work in the background is this long at least, unless the caller says otherwise, and at most, ms. */
const SHORTEST_MS = 4;
const LONGEST_MS = 20;

/** For whom a close takes its turns: between those of the tenants whose queries are answered. */
const CLOSES = 'closes';

/**
 * Slices for work in the background that must neither delay others nor starve: each is as long as the others had their turns
 * before it, within bounds. A partition that reads a log of hours back applies for tens of milliseconds at once.
 */
export function fairSlicing({ clock, yieldTurn, costPerCheck, sliceMs: shortestMs = SHORTEST_MS }: Slicing): Slicing {
  let sliceMs = shortestMs;
  return {
    clock,
    ...(costPerCheck !== undefined && { costPerCheck }),
    get sliceMs() {
      return sliceMs;
    },
    async yieldTurn() {
      const sinceMs = clock.monotonicMs();
      await yieldTurn(CLOSES);
      sliceMs = Math.min(LONGEST_MS, Math.max(shortestMs, clock.monotonicMs() - sinceMs));
    },
  };
}
