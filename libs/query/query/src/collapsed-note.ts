import { type SpacePartial, type WideQuantiles, wideQuantiles } from '@tidemark/fold';

/**
 * Returns a note on percentiles in collapsed buckets, with the bounds that still hold; undefined when all are as exact
 * as their sketches. `quantile` is 0 to 1.
 */
export function collapsedNote(metric: string, quantile: number, partials: readonly SpacePartial[]): string | undefined {
  const wide = partials.map((partial) => wideQuantiles(partial, quantile)).filter((one) => one !== undefined);
  if (wide.length === 0) return undefined;
  const steps = wide.reduce((sum, one) => sum + one.steps, 0);
  const { low, high } = wide.reduce(wider);
  const percentile = `p${Number((quantile * 100).toPrecision(12))}:${metric}`;
  const known = steps === 1 ? '1 value is' : `${steps} values are`;
  return `${percentile}: ${known} not within 1%, because a sketch has too few buckets for all values; the widest bounds are ${low} to ${high}`;
}

function wider(a: WideQuantiles, b: WideQuantiles): WideQuantiles {
  return b.high - b.low > a.high - a.low ? b : a;
}
