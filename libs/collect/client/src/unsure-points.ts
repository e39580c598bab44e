import { decodeShare, inspectShare, PointColumns, SketchColumns } from '@tidemark/columns';
import type { Batch, Share } from '@tidemark/contract';
import type { SentDefinitions } from './sent-definitions.ts';

/** What is known of an intake that received a batch, and whose answer did not arrive. */
export interface UnansweredSend {
  readonly definitions: Pick<SentDefinitions, 'refused'>;
  /** Newest timestamp that it accepted when the batch was sent, ms. */
  readonly newestMs: number;
}

/**
 * Counts the points of a batch that such an intake left out if it stored the others: it has refused their series, or their
 * timestamps were too far ahead. A later send may find them accepted, but stores drop it.
 */
export function unsurePoints({ mapEpoch, shares }: Batch, { definitions, newestMs }: UnansweredSend): number {
  let unsure = 0;
  for (const share of shares) {
    const refused = definitions.refused(mapEpoch, share.partition);
    if (refused.size === 0 && inspectShare(share.points).maxTimeMs <= newestMs) continue;
    unsure += count(share, (ref, timeMs) => refused.has(ref) || timeMs > newestMs);
  }
  return unsure;
}

function count({ points: bytes }: Share, isUnsure: (ref: number, timeMs: number) => boolean): number {
  const points = new PointColumns();
  const sketches = new SketchColumns();
  decodeShare(bytes, points, sketches);
  let counted = 0;
  for (let i = 0; i < points.length; i++) if (isUnsure(points.refs[i], points.timesMs[i])) counted++;
  for (let i = 0; i < sketches.length; i++) if (isUnsure(sketches.refs[i], sketches.timesMs[i])) counted++;
  return counted;
}
