import { unreachable } from '@tidemark/ports';
import { foldValues, sumOf } from './fold-values.ts';
import { type Frame, type FrameSeries, SERIES_COST } from './frame.ts';
import { secondsOf } from './frame-steps.ts';
import type { Work } from './work.ts';

export const RANK_METHODS = ['max', 'mean', 'min', 'sum', 'last', 'l2norm', 'area'] as const;
export type RankMethod = (typeof RANK_METHODS)[number];

export const RANK_ORDERS = ['desc', 'asc'] as const;
export type RankOrder = (typeof RANK_ORDERS)[number];

/**
 * The first `limit` series by `method` of their values, best first; `desc` puts the highest first. Equal ones are
 * ordered by tags, and series without any value come last, so that the choice does not depend on the input's order.
 * The first `before` steps are kept, and do not affect the choice.
 */
export function* top(
  frame: Frame,
  limit: number,
  method: RankMethod = 'mean',
  order: RankOrder = 'desc',
  before = 0,
): Work<Frame> {
  const sign = order === 'desc' ? -1 : 1;
  const ranked: { readonly series: FrameSeries; readonly rank: number; readonly tags: string }[] = [];
  for (const series of frame.series) {
    ranked.push({ series, rank: rankOf(series, method, frame, before), tags: series.tags.join(',') });
    yield SERIES_COST + series.values.length;
  }
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
export function bottom(
  frame: Frame,
  limit: number,
  method: RankMethod = 'mean',
  order: RankOrder = 'asc',
): Work<Frame> {
  return top(frame, limit, method, order);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * One value for each series, by `method` of its values, for the one step [fromMs, toMs). A series without values has none.
 */
export function* reduceToStep(frame: Frame, method: RankMethod, fromMs: number, toMs: number): Work<Frame> {
  const series: FrameSeries[] = [];
  for (const one of frame.series) {
    series.push({ ...one, values: Float64Array.of(rankOf(one, method, frame, 0)) });
    yield SERIES_COST + one.values.length;
  }
  return { fromMs, stepMs: toMs - fromMs, steps: 1, series };
}

function rankOf(series: FrameSeries, method: RankMethod, frame: Frame, before: number): number {
  const shown = series.values.subarray(before);
  const values = shown.filter((value) => !Number.isNaN(value));
  if (values.length === 0) return Number.NaN;
  switch (method) {
    case 'max':
    case 'min':
    case 'sum':
      return foldValues(values, method);
    case 'mean':
      return foldValues(values, 'avg');
    case 'last':
      return values[values.length - 1];
    case 'l2norm':
      return Math.sqrt(sumOf(values.map((value) => value * value)));
    case 'area':
      return sumOf(shown.map((value, i) => value * secondsOf(frame, before + i)).filter((area) => !Number.isNaN(area)));
    default:
      return unreachable(method);
  }
}
