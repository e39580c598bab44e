import type { ResultSeries } from '@tidemark/contract';
import { type Frame, startOf, type Work } from '@tidemark/fold';
import {
  type Expression,
  type FrameMemory,
  leavesOf,
  printExpression,
  printFilter,
  type ValueUnit,
  writeWord,
} from '@tidemark/query-language';
import type { InfiniteValues } from './value-notes.ts';

/** What a series of an answer takes, and each of its values with its time. */
const SERIES_BYTES = 512;
const ANSWER_BYTES = 16;

/**
 * Converts the frame of an expression to the series of the answer, without empty steps and empty series. The answer is
 * complete through `throughMs`; undefined when nothing is known to be complete. Adds the values to `infinite`.
 */
export function* resultSeries(
  expression: Expression,
  unit: ValueUnit | undefined,
  frame: Frame,
  throughMs: number | undefined,
  memory: FrameMemory,
  infinite: InfiniteValues,
): Work<ResultSeries[]> {
  const text = printExpression(expression);
  const scope = commonScope(expression);
  const wholeSteps = completeStepsOf(frame, throughMs);
  const out: ResultSeries[] = [];
  for (const { metric, tags, kind, values } of frame.series) {
    yield values.length;
    const count = values.reduce((sum, value) => sum + Number(!Number.isNaN(value)), 0);
    if (count === 0) continue;
    memory.take(SERIES_BYTES + count * ANSWER_BYTES);
    const timesMs = new Array<number>(count);
    const present = new Array<number>(count);
    let completeSteps = 0;
    let at = 0;
    for (let i = 0; i < values.length; i++) {
      if (Number.isNaN(values[i])) continue;
      timesMs[at] = startOf(frame, i);
      present[at++] = values[i];
      if (i < wholeSteps) completeSteps++;
    }
    infinite.add(present);
    out.push({
      metric,
      tagSet: [...tags],
      scope: [...new Set([...tags.map(writeWord), ...scope])].join(',') || '*',
      expression: text,
      intervalMs: frame.stepMs,
      timesMs,
      values: present,
      kind,
      completeSteps,
      unit,
    });
  }
  return out;
}

/**
 * Returns the number of complete steps from the first on. A step is complete when its end is at or before `throughMs`:
 * no point that arrives in time changes it any more. Every API and page takes over this judgement.
 */
export function completeStepsOf(frame: Frame, throughMs: number | undefined): number {
  if (throughMs === undefined) return 0;
  let step = 0;
  while (step < frame.steps && startOf(frame, step + 1) <= throughMs) step++;
  return step;
}

/** Returns the conditions that all leaves of an expression share, as text; empty when they differ, or for `*`. */
function commonScope(expression: Expression): string[] {
  const filters = leavesOf({ expressions: [expression] }).map(({ filter }) => filter);
  const texts = new Set(filters.map(printFilter));
  const [first] = filters;
  if (texts.size !== 1 || first.type === 'all') return [];
  return first.type === 'and' ? first.filters.map(printFilter) : [printFilter(first)];
}
