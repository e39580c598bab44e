import { classOfKind, KIND, kindName, seriesClassName, tagsKey } from '@tidemark/model';
import { TidemarkError, unreachable } from '@tidemark/ports';
import { type Frame, type FrameSeries, mapEach, SERIES_COST } from './frame.ts';
import { haveSameSteps } from './frame-steps.ts';
import type { Work } from './work.ts';

export const OPERATORS = ['+', '-', '*', '/'] as const;
export type Operator = (typeof OPERATORS)[number];

export type Operand = Frame | number;

/**
 * Arithmetic step by step. A step has a value where both sides have one, and none where it would divide by zero.
 *
 * Two frames are joined by tags. Where one is grouped by fewer keys than the other, each of its series is joined with
 * all the series of the other that have its tags; an ungrouped series is joined with all. Series without a match are
 * dropped. Frames of other steps, or whose keys do not contain one another, are `invalid_argument`.
 */
export function* arithmetic(operator: Operator, left: Operand, right: Operand): Work<Operand> {
  if (typeof left === 'number') {
    if (typeof right === 'number') return compute(operator, left, right);
    const changed = yield* mapEach(right, (value) => compute(operator, left, value));
    return renamed(changed, (name) => `(${left} ${operator} ${name})`);
  }
  if (typeof right === 'number') {
    const changed = yield* mapEach(left, (value) => compute(operator, value, right));
    return renamed(changed, (name) => `(${name} ${operator} ${right})`);
  }
  return yield* joined(operator, left, right);
}

/** Negates each value. */
export function* negate(operand: Operand): Work<Operand> {
  if (typeof operand === 'number') return -operand;
  return renamed(yield* mapEach(operand, (value) => -value), (name) => `-${name}`);
}

function compute(operator: Operator, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return b === 0 ? Number.NaN : a / b;
    default:
      return unreachable(operator);
  }
}

function renamed(frame: Frame, rename: (name: string) => string): Frame {
  return { ...frame, series: frame.series.map((series) => ({ ...series, metric: rename(series.metric) })) };
}

function* joined(operator: Operator, left: Frame, right: Frame): Work<Frame> {
  if (!haveSameSteps(left, right)) {
    throw new TidemarkError(
      'invalid_argument',
      `both sides of ${operator} need the same steps: ${left.stepMs / 1000} s on the left, ${right.stepMs / 1000} s on the right (give both the same rollup)`,
      { field: 'rollup', leftStepMs: left.stepMs, rightStepMs: right.stepMs },
    );
  }
  if (left.series.length === 0 || right.series.length === 0) return { ...left, series: [] };
  const leftKeys = keysOf(left.series[0]);
  const rightKeys = keysOf(right.series[0]);
  const leftHasMore = leftKeys.length >= rightKeys.length;
  const fewer = leftHasMore ? rightKeys : leftKeys;
  const more = leftHasMore ? leftKeys : rightKeys;
  if (!fewer.every((key) => more.includes(key))) {
    throw new TidemarkError(
      'invalid_argument',
      `both sides of ${operator} are grouped by different tags: ${leftKeys.join(', ')} and ${rightKeys.join(', ')}`,
      { field: 'group_by', left: leftKeys.join(','), right: rightKeys.join(',') },
    );
  }
  const partners = leftHasMore
    ? yield* partnersOf(right, fewer, `the right side of ${operator}`)
    : yield* partnersOf(left, fewer, `the left side of ${operator}`);
  const series: FrameSeries[] = [];
  for (const one of (leftHasMore ? left : right).series) {
    const partner = partners.get(joinKey(one, fewer));
    if (partner === undefined) continue;
    const [a, b] = leftHasMore ? [one, partner] : [partner, one];
    const values = new Float64Array(left.steps).fill(Number.NaN);
    for (let i = 0; i < values.length; i++) values[i] = compute(operator, a.values[i], b.values[i]);
    series.push({
      tags: one.tags,
      metric: `(${a.metric} ${operator} ${b.metric})`,
      kind: a.kind === b.kind ? a.kind : KIND.gauge,
      values,
    });
    yield SERIES_COST + values.length;
  }
  return { ...left, series };
}

function* partnersOf(frame: Frame, keys: readonly string[], side: string): Work<Map<string, FrameSeries>> {
  const partners = new Map<string, FrameSeries>();
  for (const series of frame.series) {
    const key = joinKey(series, keys);
    const other = partners.get(key);
    if (other !== undefined) throw ambiguous(other, series, side);
    partners.set(key, series);
    yield SERIES_COST;
  }
  return partners;
}

/** Two series of the same tags are of two classes of one metric, or of two kinds that an expression has made of them. */
function ambiguous(one: FrameSeries, other: FrameSeries, side: string): TidemarkError {
  const { metric } = other;
  const tags = other.tags.join(',');
  const kinds = [one, other].map(({ kind, storedKind = kind }) => kindName(storedKind));
  const named = [one, other].map(({ kind, storedKind = kind }, i) => {
    return `a ${kinds[i]} (class ${seriesClassName(classOfKind(storedKind))})`;
  });
  return new TidemarkError(
    'invalid_argument',
    `${side} has two series of ${metric} ${tags === '' ? 'without tags' : `with tags {${tags}}`}: ${named.join(' and ')} (limit: one for each set of tags); ` +
      'filter by a tag that one of them lacks, or send them under two names',
    { field: 'kind', metric, tags, kinds: kinds.join(',') },
  );
}

function keysOf(series: FrameSeries): string[] {
  return series.tags.map(keyOf);
}

function keyOf(tag: string): string {
  const colon = tag.indexOf(':');
  return colon < 0 ? tag : tag.slice(0, colon);
}

/** The tags of `keys` as one text. */
function joinKey(series: FrameSeries, keys: readonly string[]): string {
  return tagsKey(keys.map((key) => series.tags.find((tag) => keyOf(tag) === key) ?? ''));
}
