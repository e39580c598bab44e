/** Relative error of q * count by rounding, with room: 0.07 * 100 is above 7. */
const ROUNDING = 2 ** -50;

/**
 * The rank, counted from 1, of a quantile among `count` sorted values: the nearest rank, ceil(q * count). Every
 * percentile of the platform uses it, so a distribution and a histogram of the same values agree. `count` may be a sum of
 * weights. Then the rank may be a fraction, and the value is the lowest whose cumulative weight reaches it.
 */
export function nearestRank(q: number, count: number): number {
  const rank = q * count * (1 - ROUNDING);
  return Number.isInteger(count) ? Math.min(count, Math.max(1, Math.ceil(rank))) : rank;
}
