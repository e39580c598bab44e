import { describe, expect, test } from '@jest/globals';
import { SERIES_CLASS, seriesName } from '@tidemark/model';
import type { LogRecord } from '@tidemark/ports';
import { MemoryKeyValue, passRecord } from '@tidemark/simulation';
import fc from 'fast-check';
import { CHECKPOINT_RECORDS, CHECKPOINTS_KEPT, TagPartition } from './index.ts';
import { openValue } from './store-layout.ts';
import { recordOf } from './testing/facts.ts';

/** A log with one series per record. */
function logOf(records: number): LogRecord[] {
  return Array.from({ length: records }, (_, i) =>
    recordOf(i, [{ name: seriesName('acme', 'cpu', SERIES_CLASS.reading, [`host:${i}`]), day: 20_000, isNamed: true }]),
  );
}

const LOG = logOf(CHECKPOINT_RECORDS * 5 + 7);

async function replayed(log: readonly LogRecord[]): Promise<TagPartition> {
  const partition = await TagPartition.open({ keyValue: new MemoryKeyValue() });
  for (const record of log) partition.apply(record);
  return partition;
}

describe('checkpoints of a tag store', () => {
  test('checkpoints are at fixed offsets, and the hash at each is that of a replay up to it', async () => {
    const partition = await replayed(LOG);
    const { stateHashes } = partition.status();
    expect(stateHashes.map(({ offset }) => offset)).toEqual([1, 2, 3, 4, 5].map((n) => n * CHECKPOINT_RECORDS));
    for (const { offset, hash } of stateHashes) {
      expect((await replayed(LOG.slice(0, offset))).stateHash()).toBe(hash);
    }
    expect(partition.position).toMatchObject({
      offset: LOG.length,
      checkpointOffset: CHECKPOINT_RECORDS * 5,
      stateHash: partition.stateHash(),
    });
  });

  test('checkpoints are the same after crashes and failed commits at any record', async () => {
    const expected = (await replayed(LOG)).status().stateHashes;
    const event = fc.tuple(fc.nat(LOG.length), fc.constantFrom('commit' as const, 'fail' as const, 'crash' as const));
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 12 }), async (plan) => {
        const events = [...plan];
        const keyValue = new MemoryKeyValue();
        let partition = await TagPartition.open({ keyValue });
        while (partition.nextOffset < LOG.length) {
          const { nextOffset } = partition;
          passRecord(LOG[nextOffset], TagPartition.prototype.apply.bind(partition));
          const at = events.findIndex(([offset]) => offset === nextOffset);
          if (at < 0) continue;
          const [[, what]] = events.splice(at, 1);
          if (what === 'commit') await partition.commit();
          if (what === 'fail') {
            keyValue.failingWrites = 1;
            await expect(partition.commit()).rejects.toThrow('disk is full');
          }
          if (what === 'crash') partition = await TagPartition.open({ keyValue });
        }
        expect(partition.status().stateHashes).toEqual(expected);
        await partition.commit();
        expect((await TagPartition.open({ keyValue })).status().stateHashes).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  test('a skipped record counts towards checkpoints, and changes the hash', async () => {
    const skipping = await TagPartition.open({ keyValue: new MemoryKeyValue() });
    for (const record of LOG.slice(0, CHECKPOINT_RECORDS)) {
      if (record.offset === CHECKPOINT_RECORDS - 1) skipping.skip('bit rot', { records: 1 });
      else skipping.apply(record);
    }
    const [{ offset, hash }] = skipping.status().stateHashes;
    const [whole] = (await replayed(LOG)).status().stateHashes;
    expect([offset, hash === whole.hash]).toEqual([whole.offset, false]);
  });

  test('the newest checkpoints are kept, in memory and on disk', async () => {
    const keyValue = new MemoryKeyValue();
    const partition = await TagPartition.open({ keyValue });
    const [fact] = LOG;
    const records = CHECKPOINT_RECORDS * (CHECKPOINTS_KEPT + 3);
    for (let offset = 0; offset < records; offset++) {
      partition.apply({ ...fact, offset });
      if (offset % 1000 === 0) await partition.commit();
    }
    await partition.commit();
    const { stateHashes } = partition.status();
    expect(stateHashes).toHaveLength(CHECKPOINTS_KEPT);
    expect(stateHashes[0].offset).toBe(4 * CHECKPOINT_RECORDS);
    const entries = [...keyValue.content].filter(([key]) => key.startsWith('05')).sort();
    // docs/formats/tag-store.md: the offset in the key, the hash in the value.
    expect(entries.map(([key]) => Number.parseInt(key.slice(2), 16))).toEqual(stateHashes.map(({ offset }) => offset));
    expect(openValue(entries[0][1], 'checkpoint').toString('hex')).toBe(stateHashes[0].hash);
    expect((await TagPartition.open({ keyValue })).status().stateHashes).toEqual(stateHashes);
  });

  test('a store of a program without checkpoints begins with the next one', async () => {
    const keyValue = new MemoryKeyValue();
    const partition = await TagPartition.open({ keyValue });
    for (const record of LOG.slice(0, CHECKPOINT_RECORDS * 2 + 1)) partition.apply(record);
    await partition.commit();
    for (const key of [...keyValue.content.keys()]) if (key.startsWith('05')) keyValue.content.delete(key);
    const reopened = await TagPartition.open({ keyValue });
    for (const record of LOG.slice(CHECKPOINT_RECORDS * 2 + 1)) reopened.apply(record);
    expect(reopened.status().stateHashes).toEqual((await replayed(LOG)).status().stateHashes.slice(2));
  });
});
