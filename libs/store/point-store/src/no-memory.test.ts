import { expect, test } from '@jest/globals';
import { LogBuilder } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { MemoryKeyValue } from '@tidemark/simulation';
import { DEFAULT_POINT_STORE_LIMITS, PageCodec, PointPartition } from './index.ts';

const SERIES = 1000;
const STEP_MS = 10_000;

function open(codec: PageCodec): Promise<PointPartition> {
  const limits = DEFAULT_POINT_STORE_LIMITS;
  return PointPartition.open({ partition: 0, keyValue: new MemoryKeyValue(), limits, latenessMs: () => 3000, codec });
}

/** Rounds [from, to) of all series. */
function rounds(from: number, to: number) {
  return Array.from({ length: (to - from) * SERIES }, (_, i) => {
    const round = from + Math.floor(i / SERIES);
    return { series: i % SERIES, timeMs: round * STEP_MS, value: i };
  });
}

test('a record for which there is no memory is applied whole, after a commit, or not at all', async () => {
  const builder = new LogBuilder();
  const records = [
    builder.bare(RECORD.open, 0, 0),
    builder.block(0, 0, [{ client: 0, sequence: 0, points: rounds(0, 1) }]),
    builder.block(0, 0, [{ client: 0, sequence: 1, points: rounds(1, 4) }]),
    builder.block(0, 0, [
      { client: 0, sequence: 2, points: rounds(4, 5) },
      { client: 0, sequence: 3, points: rounds(5, 60) },
    ]),
  ];
  const whole = await open(new PageCodec());
  for (const record of records) whole.apply(record);

  const codec = new PageCodec();
  const partition = await open(codec);
  partition.apply(records[0]);
  partition.apply(records[1]);
  // The first mark was a cut.
  await partition.commit();
  partition.apply(records[2]);
  const { memory } = codec.kernel.blocks;
  const grow = memory.grow.bind(memory);
  let isRefused = true;
  const growIfThere = (pages: number): number => {
    if (isRefused) throw new RangeError('WebAssembly.Memory.grow(): Unable to grow instance memory');
    return grow(pages);
  };
  Object.defineProperty(memory, 'grow', { value: growIfThere });
  const before = partition.status;
  const hash = await partition.stateHash();
  expect(partition.wantsCommit).toBe(false);
  expect(() => partition.apply(records[3])).toThrow(expect.objectContaining({ code: 'resource_exhausted' }));
  expect(partition.status).toEqual(before);
  expect([await partition.stateHash(), partition.wantsCommit]).toEqual([hash, true]);

  await partition.commit();
  expect([partition.wantsCommit, codec.freeHeadBytes > 0]).toEqual([false, true]);
  // What the commit has given back is too little for this record.
  expect(() => partition.apply(records[3])).toThrow(expect.objectContaining({ code: 'resource_exhausted' }));
  expect(partition.wantsCommit).toBe(false);
  isRefused = false;
  partition.apply(records[3]);
  expect(await partition.stateHash()).toBe(await whole.stateHash());
  expect(partition.status.points).toBe(60 * SERIES);
});
