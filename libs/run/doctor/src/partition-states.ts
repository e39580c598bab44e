import { counted, formatCount } from './format-values.ts';
import type { PipelineView, PointPartitionView } from './pipeline-view.ts';
import { NOTED_TAGS_LAG } from './thresholds.ts';

/** A partition that has stopped reading. */
export interface Halted {
  readonly topic: 'points' | 'tags';
  readonly partition: number;
  /** Of the record that may be skipped; undefined where the log is at fault. */
  readonly offset: number | undefined;
  readonly reason: string;
}

/** Returns the partitions that have stopped reading; tests: `examine.test.ts`. */
export function haltsOf({ points, tags }: Pick<PipelineView, 'points' | 'tags'>): Halted[] {
  const of = (topic: Halted['topic'], all: PipelineView['tags']): Halted[] =>
    all
      .filter(({ halted }) => halted !== '')
      .map(({ partition, halted, haltedOffset }) => {
        return { topic, partition, offset: haltedOffset < 0 ? undefined : haltedOffset, reason: halted };
      });
  return [...of('points', points), ...of('tags', tags)];
}

/**
 * Returns the tag partitions that are behind their log by more than `NOTED_TAGS_LAG` records: answers wait for them.
 */
export function tagLagsOf({ tags }: Pick<PipelineView, 'tags'>): { part: string; records: number }[] {
  return tags
    .map(({ partition, offset, logNext }) => ({ part: `tags/${partition}`, records: logNext - offset }))
    .filter(({ records }) => records > NOTED_TAGS_LAG);
}

/** So many offsets are passed where nothing says how many records were lost, as with a folder of the log that is gone. */
const UNKNOWN_RECORDS = 2 ** 39;

/** Formats a gap without its partition and reason: `a gap of 3 records at offset 7`. */
export function gapWords({ offset, records }: { readonly offset: number; readonly records: number }): string {
  const lost = records >= UNKNOWN_RECORDS ? 'an unknown number of records' : counted(records, 'record');
  return `a gap of ${lost} at offset ${offset}`;
}

/** Returns one sentence for each partition that has skipped records. */
export function gapSentences({ points, tags }: Pick<PipelineView, 'points' | 'tags'>): string[] {
  return [...points, ...tags]
    .filter(({ gaps }) => gaps.length > 0)
    .map(({ partition, gaps }) => {
      const count = gaps.length === 1 ? 'a marked gap' : `${gaps.length} marked gaps`;
      const newest = gaps[gaps.length - 1];
      return `${gaps[0].topic}/${partition} has ${count}, the newest at offset ${formatCount(newest.offset)}`;
    });
}

/**
 * Lowest watermark that the tag stores cover, minus the lateness bound: through when queries are complete. Undefined if a
 * partition did not answer or has no watermark.
 */
export function completeThroughOf(status: {
  readonly points: readonly Pick<PointPartitionView, 'coveredWatermarkMs'>[];
  readonly errors: readonly unknown[];
  readonly latenessMs: number;
}): number | undefined {
  if (status.errors.length > 0 || status.points.length === 0) return undefined;
  let minMs = Number.POSITIVE_INFINITY;
  for (const { coveredWatermarkMs } of status.points) {
    if (coveredWatermarkMs === undefined) return undefined;
    minMs = Math.min(minMs, coveredWatermarkMs);
  }
  return minMs - status.latenessMs;
}
