import { KIND } from '@tidemark/model';
import { finishAtOnce } from '@tidemark/ports';
import type { Frame } from '../frame.ts';
import type { Work } from '../work.ts';

/** A frame of gauges from 1970, or from `fromMs`; rows by tags joined by commas. */
export function frameOf(rows: Readonly<Record<string, readonly number[]>>, stepMs = 10_000, fromMs = 0): Frame {
  const series = Object.entries(rows).map(([tags, values]) => ({
    tags: tags === '' ? [] : tags.split(','),
    metric: 'm',
    kind: KIND.gauge,
    values: Float64Array.from(values),
  }));
  return { fromMs, stepMs, steps: series[0]?.values.length ?? 0, series };
}

/** The values of each series by its tags. */
export function rowsOf(result: Frame | Work<Frame>): Record<string, number[]> {
  const frame = 'next' in result ? finishAtOnce(result) : result;
  return Object.fromEntries(frame.series.map((series) => [series.tags.join(','), Array.from(series.values)]));
}
