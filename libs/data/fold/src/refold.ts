import { KIND } from '@tidemark/model';
import { assert } from '@tidemark/ports';
import { foldValues } from './fold-values.ts';
import { type Frame, type FrameSeries, SERIES_COST } from './frame.ts';
import { startOf } from './frame-steps.ts';
import type { RefoldMethod } from './method-names.ts';
import type { Work } from './work.ts';

/** Folds finished series over time once more: each `count` steps become one, by `method` of those that have a value. */
export function* refold(frame: Frame, method: RefoldMethod, count: number): Work<Frame> {
  assert(frame.startsMs === undefined && frame.steps % count === 0, 'steps of one length become whole longer ones');
  const steps = frame.steps / count;
  const series: FrameSeries[] = [];
  for (const one of frame.series) {
    const values = new Float64Array(steps).fill(Number.NaN);
    for (let i = 0; i < steps; i++) {
      const present = one.values.subarray(i * count, (i + 1) * count).filter((value) => !Number.isNaN(value));
      if (present.length > 0) values[i] = method === 'last' ? present[present.length - 1] : foldValues(present, method);
    }
    series.push({ ...one, kind: method === 'sum' ? one.kind : KIND.gauge, values });
    yield SERIES_COST + one.values.length;
  }
  return { fromMs: startOf(frame, 0), stepMs: frame.stepMs * count, steps, series };
}
