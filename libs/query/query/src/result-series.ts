import type { ResultSeries } from '@tidemark/contract';
import { type Frame, startOf } from '@tidemark/fold';
import { type Expression, leavesOf, printExpression, printFilter, writeWord } from '@tidemark/query-language';

/** Converts the frame of an expression to the series of the answer, without empty steps and empty series. */
export function resultSeries(expression: Expression, frame: Frame): ResultSeries[] {
  const text = printExpression(expression);
  const scope = commonScope(expression);
  const out: ResultSeries[] = [];
  for (const { metric, tags, kind, values } of frame.series) {
    const timesMs: number[] = [];
    const present: number[] = [];
    for (let i = 0; i < values.length; i++) {
      if (Number.isNaN(values[i])) continue;
      timesMs.push(startOf(frame, i));
      present.push(values[i]);
    }
    if (present.length === 0) continue;
    out.push({
      metric,
      tagSet: [...tags],
      scope: [...tags.map(writeWord), ...scope].join(',') || '*',
      expression: text,
      intervalMs: frame.stepMs,
      timesMs,
      values: present,
      kind,
    });
  }
  return out;
}

/** Returns the filter that all leaves of an expression share, as text; empty when they differ, or when it is `*`. */
function commonScope(expression: Expression): string[] {
  const filters = new Set(leavesOf({ expressions: [expression] }).map((leaf) => printFilter(leaf.filter)));
  const [first] = filters;
  return filters.size === 1 && first !== '*' ? [first] : [];
}
