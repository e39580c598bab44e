import type { Random } from './random.ts';

/** A pause that doubles from `baseMs` to `maxMs`, spread over [half, whole] so that peers don't return together. */
export function backoffMs(attempt: number, baseMs: number, maxMs: number, random: Random): number {
  const whole = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
  return whole * (0.5 + random.next() / 2);
}
