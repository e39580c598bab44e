import { type Frame, type FrameSeries, TIME_FOLD, TimeShifter } from '@tidemark/fold';
import { foldPlainly, type PlainPoint } from '@tidemark/fold/testing';
import { KIND, type Kind } from '@tidemark/model';
import { finishAtOnce } from '@tidemark/ports';
import {
  evaluate,
  groupTags,
  type LeafView,
  matchesFilter,
  parseQuery,
  type QueryLeaf,
} from '@tidemark/query-language';
import type { ModelPoint } from '@tidemark/replicas/testing';

/** Evaluates a query over gauges and counts directly over a list of points, without stores and partials. */
export function bruteForce(points: readonly ModelPoint[], text: string, fromMs: number, toMs: number): Frame[] {
  const shapeOf = (leaf: QueryLeaf) => {
    const { stepMs, steps } = stepsOf(leaf, fromMs, toMs, 0);
    return { stepMs, steps, isCalendar: false };
  };
  return finishAtOnce(evaluate(parseQuery(text), (leaf, view) => leafFrame(points, leaf, view, fromMs, toMs), shapeOf));
}

function stepsOf(leaf: QueryLeaf, rangeFromMs: number, rangeToMs: number, before: number) {
  const stepMs = (leaf.rollup?.seconds ?? Number.NaN) * 1000;
  const fromMs = rangeFromMs - (rangeFromMs % stepMs) - before * stepMs;
  return { stepMs, fromMs, steps: Math.ceil((rangeToMs - fromMs) / stepMs) };
}

function leafFrame(
  points: readonly ModelPoint[],
  leaf: QueryLeaf,
  view: LeafView,
  rangeFromMs: number,
  rangeToMs: number,
): Frame {
  const { stepMs, fromMs, steps } = stepsOf(leaf, rangeFromMs, rangeToMs, view.before);
  const shifter = new TimeShifter(view.shifts);
  const groups = new Map<string, { tags: string[]; kind: Kind; series: Map<string, ModelPoint[]> }>();
  for (const point of points) {
    if (point.metric !== leaf.metric || !matchesFilter(leaf.filter, point.tags)) continue;
    for (const tags of groupTags(leaf.groupBy, point.tags)) {
      const key = [...tags, point.kind].join('\n');
      const group = groups.get(key) ?? { tags, kind: point.kind, series: new Map<string, ModelPoint[]>() };
      groups.set(key, group);
      // A series whose points lie in two partitions is two series.
      const series = [point.partition, ...point.tags].join();
      group.series.set(series, [...(group.series.get(series) ?? []), point]);
    }
  }
  const series = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]): FrameSeries => {
      const method = leaf.rollup?.method ?? defaultMethod(leaf, group.kind);
      const values = Float64Array.from({ length: steps }, (_, i) => {
        const start = shifter.shifted(fromMs + i * stepMs);
        const folded = [...group.series.values()].flatMap((own) => foldTime(own, method, group.kind, start, stepMs));
        return folded.length === 0 ? Number.NaN : foldSpace(leaf, folded);
      });
      return { tags: group.tags, metric: leaf.metric, kind: group.kind, values };
    });
  return { fromMs, stepMs, steps, series };
}

function defaultMethod(leaf: QueryLeaf, kind: Kind): keyof typeof TIME_FOLD {
  if (kind === KIND.count) return 'sum';
  return leaf.aggregator.type === 'space' && leaf.aggregator.name === 'last' ? 'last' : 'avg';
}

interface Folded {
  readonly value: number;
  /** Of the newest point that the value depends on. */
  readonly timeMs: number;
}

/** One series in one step; empty where it has no value. */
function foldTime(
  own: readonly ModelPoint[],
  method: keyof typeof TIME_FOLD,
  kind: Kind,
  fromMs: number,
  stepMs: number,
): Folded[] {
  const points = own
    .map(({ timeMs, value }): PlainPoint => ({ timeMs, value: Number(value) }))
    .sort((a, b) => a.timeMs - b.timeMs);
  const step = { fromMs, stepMs, steps: 1 };
  const isAmount = kind === KIND.count;
  const [value] = foldPlainly(points, step, TIME_FOLD[method], isAmount);
  if (value === undefined) return [];
  const times = points.map(({ timeMs }) => ({ timeMs, value: timeMs }));
  const isByTimestamp = method === 'count' || (method === 'sum' && !isAmount);
  const within = times.filter(({ timeMs }) => timeMs >= fromMs && timeMs < fromMs + stepMs);
  const newest = isByTimestamp ? within.at(-1)?.timeMs : foldPlainly(times, step, TIME_FOLD.max, isAmount)[0];
  return [{ value, timeMs: newest ?? Number.NaN }];
}

function foldSpace(leaf: QueryLeaf, folded: readonly Folded[]): number {
  const name = leaf.aggregator.type === 'space' ? leaf.aggregator.name : 'p';
  const values = folded.map(({ value }) => value);
  if (name !== 'last') return fold(name, values);
  const newest = Math.max(...folded.map(({ timeMs }) => timeMs));
  return Math.max(...folded.filter(({ timeMs }) => timeMs === newest).map(({ value }) => value));
}

function fold(method: string, values: readonly number[]): number {
  switch (method) {
    case 'avg':
      return values.reduce((a, b) => a + b, 0) / values.length;
    case 'sum':
      return values.reduce((a, b) => a + b, 0);
    case 'min':
      return Math.min(...values);
    case 'max':
      return Math.max(...values);
    case 'count':
      return values.length;
    default:
      return values[values.length - 1];
  }
}
