import { TIME_FOLD, type TimeFold } from '../fold.ts';
import type { Steps } from '../folded-steps.ts';

export interface PlainPoint {
  readonly timeMs: number;
  /** NaN: the series ended. */
  readonly value: number;
}

/**
 * What `TimeFolder` answers, by brute force: the value of each millisecond of the range from all points of the series,
 * then each step from its milliseconds. Points are ascending by time, one a timestamp; `statedMs` is the reporting interval
 * that the sender states, 0 when it states none. `undefined` where a step has no value. Only for small ranges of whole milliseconds.
 */
export function foldPlainly(
  points: readonly PlainPoint[],
  { fromMs, stepMs, steps }: Steps,
  fold: TimeFold,
  isAmount: boolean,
  statedMs = 0,
): (number | undefined)[] {
  const perStep = (valueIn: (startMs: number, endMs: number) => number | undefined) =>
    Array.from({ length: steps }, (_, i) => valueIn(fromMs + i * stepMs, fromMs + (i + 1) * stepMs));
  const there = points.filter(({ value }) => !Number.isNaN(value));
  const within = (startMs: number, endMs: number) =>
    there.filter(({ timeMs }) => timeMs >= startMs && timeMs < endMs).map(({ value }) => value);
  if (fold === TIME_FOLD.count) return perStep((a, b) => within(a, b).length || undefined);
  if (fold === TIME_FOLD.points || (fold === TIME_FOLD.sum && !isAmount)) {
    return perStep((a, b) => (within(a, b).length === 0 ? undefined : sumOf(within(a, b))));
  }
  const spans =
    fold === TIME_FOLD.increase || fold === TIME_FOLD.rate
      ? increases(points)
      : stretches(points, isAmount, statedMs, fold);
  return perStep((startMs, endMs) => {
    const own = spans.filter((span) =>
      span.endMs > span.startMs
        ? span.endMs > startMs && span.startMs < endMs
        : span.startMs >= startMs && span.startMs < endMs,
    );
    if (own.length === 0) return undefined;
    const overlapOf = (span: Span) => Math.min(span.endMs, endMs) - Math.max(span.startMs, startMs);
    const shareOf = (span: Span) => (span.endMs > span.startMs ? overlapOf(span) / (span.endMs - span.startMs) : 1);
    if (fold === TIME_FOLD.sum || fold === TIME_FOLD.increase) return sumOf(own.map((one) => one.value * shareOf(one)));
    const lasting = own.filter((span) => span.endMs > span.startMs);
    if (fold === TIME_FOLD.rate) {
      return (sumOf(own.map((one) => one.value * shareOf(one))) / sumOf(own.map(overlapOf))) * 1000;
    }
    const values = own.map(({ value }) => value);
    if (fold === TIME_FOLD.min) return Math.min(...values);
    if (fold === TIME_FOLD.max) return Math.max(...values);
    if (fold === TIME_FOLD.last) return values.at(-1);
    const counted = lasting.length > 0 ? lasting : own;
    const weightOf = (span: Span) => (lasting.length > 0 ? overlapOf(span) : 1);
    return sumOf(counted.map((one) => one.value * weightOf(one))) / sumOf(counted.map(weightOf));
  });
}

interface Span {
  readonly startMs: number;
  readonly endMs: number;
  readonly value: number;
}

function stretches(points: readonly PlainPoint[], isAmount: boolean, statedMs: number, fold: TimeFold): Span[] {
  return points.flatMap(({ timeMs, value }, i) => {
    if (Number.isNaN(value)) return [];
    const gaps = gapsBefore(points, i);
    const median = gaps[(gaps.length - 1) >> 1] ?? 0;
    if (isAmount) {
      const regular = gaps.filter((gap) => Math.abs(gap - median) <= median / 10);
      const inferredMs = gaps.length >= 3 && regular.length * 2 >= gaps.length ? median : 0;
      if (statedMs > 0) return [{ startMs: timeMs, endMs: timeMs + statedMs, value }];
      const reachMs = Math.min(inferredMs, (points[i + 4]?.timeMs ?? Number.POSITIVE_INFINITY) - timeMs);
      const endMs = timeMs + reachMs;
      if (reachMs === inferredMs || fold !== TIME_FOLD.sum) return [{ startMs: timeMs, endMs, value }];
      const within = value * (reachMs / inferredMs);
      return [
        { startMs: timeMs, endMs, value: within },
        { startMs: endMs, endMs, value: value - within },
      ];
    }
    const intervalMs = statedMs || (gaps.length < 3 ? Math.min(median, 300_000) : median) || 10_000;
    const nextMs = points[i + 1]?.timeMs ?? Number.POSITIVE_INFINITY;
    return [{ startMs: timeMs, endMs: Math.min(nextMs, timeMs + 2.5 * intervalMs), value }];
  });
}

/** The last five gaps before a point, ascending, as far as the series did not end. */
function gapsBefore(points: readonly PlainPoint[], index: number): number[] {
  let from = index;
  while (from > 0 && index - from < 5 && !Number.isNaN(points[from - 1].value)) from--;
  const gaps: number[] = [];
  for (let i = from; i < index; i++) gaps.push(points[i + 1].timeMs - points[i].timeMs);
  return gaps.sort((a, b) => a - b);
}

/** The increase from each reading to the next, by the eight points before that. */
function increases(points: readonly PlainPoint[]): Span[] {
  return points.flatMap(({ timeMs, value }, i) => {
    const life = Number.isNaN(value) ? [] : lifeOf(points.slice(Math.max(0, i - 8), i));
    const before = life.at(-1);
    if (before === undefined) return [];
    const level = Math.max(...life.map((one) => one.value));
    const grown = hasRestarted(before, value) ? Math.max(0, value) : Math.max(0, value - level);
    return [{ startMs: before.timeMs, endMs: timeMs, value: grown }];
  });
}

function hasRestarted(before: PlainPoint, value: number): boolean {
  return value < before.value && value <= before.value * (7 / 8);
}

/** The readings since a counter restarted, or had no value for more than four points. */
function lifeOf(points: readonly PlainPoint[]): PlainPoint[] {
  let life: PlainPoint[] = [];
  let missing = 0;
  for (const point of points) {
    missing = Number.isNaN(point.value) ? missing + 1 : 0;
    const before = life.at(-1);
    if (missing > 4 || (before !== undefined && hasRestarted(before, point.value))) life = [];
    if (missing === 0) life.push(point);
  }
  return life;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
