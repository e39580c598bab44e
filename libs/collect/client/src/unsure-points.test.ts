import { describe, expect, test } from '@jest/globals';
import { ByteWriter } from '@tidemark/bytes';
import { encodeShare, PointColumns, SketchColumns } from '@tidemark/columns';
import type { Batch } from '@tidemark/contract';
import { SentDefinitions } from './sent-definitions.ts';
import { unsurePoints } from './unsure-points.ts';

const EPOCH = 1;
const NEWEST_MS = 1000;

/** A batch with one point of each of the refs 0 to 3 in each of two partitions, of one time except the last. */
function batch(timeMs: number, lastMs = timeMs): Batch {
  const shares = [0, 1].map((partition) => {
    const columns = new PointColumns();
    for (let ref = 0; ref < 4; ref++) columns.push(ref, ref === 3 ? lastMs : timeMs, 1);
    const out = new ByteWriter(64);
    encodeShare(columns, new SketchColumns(), out);
    return { partition, points: Buffer.from(out.take()) };
  });
  return { sequence: 0, mapEpoch: EPOCH, floor: 0, frontierMs: undefined, stampedMs: 0, shares };
}

/** The definitions of both partitions. */
function defined(): SentDefinitions {
  const definitions = new SentDefinitions();
  for (let i = 0; i < 2; i++) for (const partition of [0, 1]) definitions.add(EPOCH, partition, 2, 0);
  return definitions;
}

const unsure = (definitions: SentDefinitions, own = batch(0)) =>
  unsurePoints(own, { definitions, newestMs: NEWEST_MS });

const rejection = (reason: string) => ({ reason, field: 'series', limit: '1', points: 0, message: '' });

describe('points that a send without an answer may have left out', () => {
  test('are those of series that the intake has refused for a reason that passes', () => {
    const definitions = defined();
    expect([definitions.count(EPOCH, 1), definitions.count(2, 1), unsure(definitions)]).toEqual([4, 0, 0]);
    definitions.answered({
      mapEpoch: EPOCH,
      partition: 1,
      refused: [
        { ref: 1, rejection: rejection('series_over_budget') },
        { ref: 2, rejection: rejection('tag_too_long') },
      ],
    });
    expect(unsure(definitions)).toBe(1);
    // Refs that were never defined change nothing.
    definitions.answered({
      mapEpoch: 7,
      partition: 1,
      refused: [{ ref: 1, rejection: rejection('series_over_budget') }],
    });
    expect(unsure(definitions)).toBe(1);
  });

  test('are those whose timestamps were too far ahead', () => {
    const definitions = defined();
    expect(unsure(definitions, batch(NEWEST_MS))).toBe(0);
    expect(unsure(definitions, batch(NEWEST_MS, NEWEST_MS + 1))).toBe(2);
  });
});
