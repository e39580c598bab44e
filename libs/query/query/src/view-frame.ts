import type { Frame, FrameSeries } from '@tidemark/fold';
import { frameBytes, type LeafMeaning, type QueryLeaf } from '@tidemark/query-language';
import { LeafFindings } from './leaf-findings.ts';
import { type LeafFrame, readLeaf } from './leaf-frame.ts';
import { type LeafSteps, shownThroughMs } from './leaf-steps.ts';
import type { QueryRun } from './query-run.ts';

export interface ViewFrame {
  readonly frame: Frame;
  /** True when the metric has series in what was read, whether the leaf selects them or not. */
  readonly isKnown: boolean;
  readonly meaning: LeafMeaning;
  readonly findings: LeafFindings;
}

/**
 * The frame of a leaf at the times that the answer shows, from the times that it is read at. Notes in the run through
 * when the shown times are complete.
 */
export async function frameOfView(run: QueryRun, leaf: QueryLeaf, steps: LeafSteps): Promise<ViewFrame> {
  const findings = new LeafFindings();
  const read = await Promise.all(steps.segments.map((segment) => readLeaf(run, leaf, segment, findings)));
  if (steps.segments.length > 0) {
    const throughMs = findings.completeness.with(run.mapCompleteness).throughMs(run.latenessMs);
    run.noteThrough(throughMs === undefined ? undefined : shownThroughMs(steps, throughMs));
  }
  const { fromMs, stepMs, steps: count, startsMs } = steps;
  const series = isWhole(steps) ? read[0].series : joined(run, read, steps);
  return {
    frame: { fromMs, stepMs, steps: count, ...(startsMs === undefined ? {} : { startsMs }), series },
    isKnown: read.some(({ kinds }) => kinds.length > 0),
    meaning: {
      unit: read.find(({ unit }) => unit !== undefined)?.unit,
      kinds: [...new Set(read.flatMap(({ kinds }) => kinds))],
    },
    findings,
  };
}

function isWhole({ segments, steps }: LeafSteps): boolean {
  return segments.length === 1 && segments[0].steps === steps;
}

/** The series of all segments, each over all steps, ordered as those of one segment are. */
function joined(run: QueryRun, read: readonly LeafFrame[], { segments, steps }: LeafSteps): FrameSeries[] {
  const keys = [...new Set(read.flatMap((one) => one.keys))].sort();
  run.takeValues(keys.length * steps);
  run.memory.take(frameBytes(keys.length, steps));
  const series = new Map<string, FrameSeries>();
  read.forEach((part, k) => {
    part.series.forEach((one, i) => {
      const key = part.keys[i];
      const whole = series.get(key) ?? { ...one, values: new Float64Array(steps).fill(Number.NaN) };
      whole.values.set(one.values, segments[k].index);
      series.set(key, whole);
    });
  });
  return keys.flatMap((key) => series.get(key) ?? []);
}
