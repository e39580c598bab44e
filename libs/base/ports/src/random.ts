/**
 * The source of randomness. The system's and a seeded one are the two implementations; no other code draws random
 * numbers.
 */
export interface Random {
  /** A uniform number in [0, 1). */
  next(): number;
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}

/** A uniform integer in [0, bound). */
export function below(random: Random, bound: number): number {
  return Math.floor(random.next() * bound);
}
