import { unreachable } from '@tidemark/ports';
import type { Frame, FrameSeries } from './frame.ts';

export const RANK_METHODS = ['max', 'mean', 'min', 'last', 'area'] as const;
export type RankMethod = (typeof RANK_METHODS)[number];

export const RANK_ORDERS = ['desc', 'asc'] as const;
export type RankOrder = (typeof RANK_ORDERS)[number];

/**
 * The first `limit` series by `method` of their values, best first; `desc` puts the highest first. Equal ones are
 * ordered by tags, and series without any value come last, so that the choice does not depend on the input's order.
 */
export function top(frame: Frame, limit: number, method: RankMethod = 'mean', order: RankOrder = 'desc'): Frame {
  const sign = order === 'desc' ? -1 : 1;
  const ranked = frame.series.map((series) => ({ series, rank: rankOf(series, method), tags: series.tags.join(',') }));
  ranked.sort((a, b) => {
    const missing = Number(Number.isNaN(a.rank)) - Number(Number.isNaN(b.rank));
    if (missing !== 0) return missing;
    if (a.rank !== b.rank && !Number.isNaN(a.rank)) return a.rank < b.rank ? -sign : sign;
    return (
      compareText(a.tags, b.tags) || compareText(a.series.metric, b.series.metric) || a.series.kind - b.series.kind
    );
  });
  return { ...frame, series: ranked.slice(0, limit).map((entry) => entry.series) };
}

/** The first `limit` series as `top` returns them, with the lowest first unless `order` says otherwise. */
export function bottom(frame: Frame, limit: number, method: RankMethod = 'mean', order: RankOrder = 'asc'): Frame {
  return top(frame, limit, method, order);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function rankOf(series: FrameSeries, method: RankMethod): number {
  let count = 0;
  let sum = 0;
  let min = Number.NaN;
  let max = Number.NaN;
  let last = Number.NaN;
  for (const value of series.values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    min = count === 0 ? value : Math.min(min, value);
    max = count === 0 ? value : Math.max(max, value);
    last = value;
    count++;
  }
  switch (method) {
    case 'max':
      return max;
    case 'mean':
      return sum / count;
    case 'min':
      return min;
    case 'last':
      return last;
    case 'area':
      // Steps have equal lengths, so the sum gives the same order as the area.
      return count === 0 ? Number.NaN : sum;
    default:
      return unreachable(method);
  }
}
