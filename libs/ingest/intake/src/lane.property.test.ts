import { expect, test } from '@jest/globals';
import { toHex } from '@tidemark/bytes';
import { decodeShare, inspectShare, PointColumns, SketchColumns } from '@tidemark/columns';
import { hash128, SERIES_CLASS } from '@tidemark/model';
import { PointLogState } from '@tidemark/point-log';
import { RECORD } from '@tidemark/point-records';
import type { LogRecord } from '@tidemark/ports';
import fc from 'fast-check';
import { ClientDictionary } from './client-dictionary.ts';
import { IntakeBench, type ListedPoint, shareOf } from './intake-bench.fixture.ts';
import { DEFAULT_LANE_TIMING } from './intake-limits.ts';
import { Lane } from './lane.ts';
import { RecordLimit } from './record-limit.ts';
import { TagPublisher } from './tag-publisher.ts';

interface Offered {
  readonly points: readonly string[];
  readonly acceptMs: number;
  readonly client: number;
  readonly sequence: number;
  isDurable: boolean | undefined;
}

const step = fc.record({
  client: fc.nat(3),
  /** New series of the client's dictionary. */
  grows: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(300)),
  /** Number of metrics among which these series alternate: each change begins another run of definitions. */
  metrics: fc.constantFrom(1, 2, 7),
  /** Part of the dictionary from which the share's points are. */
  from: fc.double({ min: 0, max: 1, noNaN: true }),
  points: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 120 })),
  waitMs: fc.oneof(fc.constant(0), fc.nat(100), fc.nat(3000)),
  /** The client reconnects: it has another dictionary, and the old one is no longer in use. */
  leaves: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  /** From here on, the log refuses records above this size. */
  refusedAbove: fc.oneof(
    { weight: 12, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.integer({ min: 1100, max: 4000 }) },
  ),
});
const scenario = fc.record({
  recordBytes: fc.integer({ min: 1024, max: 6000 }),
  epochMs: fc.constantFrom(200, 1000, 5000, 600_000),
  epochRefs: fc.constantFrom(5, 60, 500, 100_000),
  blockBytes: fc.constantFrom(100, 800, 100_000),
  steps: fc.array(step, { minLength: 1, maxLength: 25 }),
});

test('a lane lives, and what it acknowledged can be decoded, with any dictionaries, epochs and limits', async () => {
  await fc.assert(fc.asyncProperty(scenario, play), { numRuns: 60 });
}, 120_000);

async function play({
  recordBytes,
  epochMs,
  epochRefs,
  blockBytes,
  steps,
}: typeof scenario extends fc.Arbitrary<infer T> ? T : never) {
  const bench = await IntakeBench.open();
  const deaths: string[] = [];
  const recordLimit = new RecordLimit(recordBytes);
  const lane = new Lane({
    ...{ log: bench.log, clock: bench.clock, acceptClock: bench.acceptClock, partition: 0, number: 5 },
    era: { offset: -1, startMs: 0 },
    session: Buffer.alloc(16, 8),
    markLimitMs: () => Number.POSITIVE_INFINITY,
    tags: new TagPublisher(bench.log, 0, bench.clock),
    timing: { ...DEFAULT_LANE_TIMING, epochMs, epochRefs, blockBytes },
    queueBytes: 1 << 20,
    recordLimit,
    onAppended: () => undefined,
    onDead: (_, reason) => deaths.push(reason),
  });
  lane.start();
  await bench.until(() => lane.isAccepting);
  const dictionaries = new Map<number, ClientDictionary>();
  const offered: Offered[] = [];
  for (const { client, grows, metrics, from, points, waitMs, leaves, refusedAbove } of steps) {
    let dictionary = dictionaries.get(client);
    if (dictionary === undefined || leaves) {
      dictionary?.leave();
      dictionary = new ClientDictionary(1, 0);
      dictionaries.set(client, dictionary);
    }
    bench.refusedAboveBytes = Math.min(bench.refusedAboveBytes, refusedAbove ?? Number.POSITIVE_INFINITY);
    for (let i = 0; i < grows || dictionary.size === 0; i++) {
      const seriesId = hash128(Buffer.from(`${client} ${dictionary.size}`));
      const metricId = hash128(Buffer.from(`metric ${dictionary.size % metrics}`));
      dictionary.add({ seriesId, metricId, seriesClass: SERIES_CLASS.reading }, undefined);
    }
    const first = Math.min(dictionary.size - 1, Math.floor(from * dictionary.size));
    const acceptMs = bench.acceptClock.nowMs();
    const own: ListedPoint[] = [];
    // Values of many digits, so that shares differ in size.
    for (let ref = first; ref < Math.min(dictionary.size, first + points); ref++)
      own.push([ref, acceptMs, Math.sqrt(ref + 2)]);
    const share = shareOf(...own);
    const known = dictionary;
    const one: Offered = {
      points: own.map(([ref, timeMs, value]) => `${toHex(known.seriesId(ref))} ${timeMs} ${value}`),
      ...{ acceptMs, client, sequence: offered.length, isDurable: undefined },
    };
    const summary = inspectShare(share);
    const span = {
      clientSession: Buffer.alloc(16, client),
      sequence: offered.length,
      mapEpoch: 1,
      floor: 0,
      frontierMs: undefined,
    };
    offered.push(one);
    const isTaken = lane.offer({
      ...{ acceptMs, dictionary, summary, entries: [], span: { ...span, tenant: 't', share } },
      settle: (durable) => {
        expect(one.isDurable).toBeUndefined();
        one.isDurable = durable;
      },
    });
    expect(isTaken).toBe(true);
    if (waitMs > 0) await bench.advance(waitMs);
  }
  await bench.until(() => offered.every(({ isDurable }) => isDurable !== undefined), 100_000);
  await bench.play(lane.close());
  expect([lane.state, deaths]).toEqual(['closed', []]);

  const records = await bench.records('points', 0);
  for (const { value } of records) expect(value.length).toBeLessThanOrEqual(recordBytes);
  const stored = decoded(records);
  const acked = offered.filter(({ isDurable }) => isDurable);
  expect([...stored.keys()].sort((a, b) => a - b)).toEqual(acked.map(({ sequence }) => sequence));
  for (const { sequence, points } of acked) expect(stored.get(sequence)?.points).toEqual(points);
  // What could not be stored is alone too large for a record.
  expect(acked.length > 0 || recordLimit.shareBytes < 2000).toBe(true);
  const marks = (await bench.points(0)).map(({ markMs }) => markMs);
  for (const { sequence, acceptMs } of acked) {
    const { offset = -1 } = stored.get(sequence) ?? {};
    expect(Math.max(...marks.slice(0, offset))).toBeLessThanOrEqual(acceptMs);
  }
}

/** Reads the log as a store does. Returns the points of each span, by its sequence. */
function decoded(records: readonly LogRecord[]): Map<number, { offset: number; points: string[] }> {
  const state = new PointLogState(0);
  const spans = new Map<number, { offset: number; points: string[] }>();
  for (const record of records) {
    const judged = state.judge(record);
    if (judged === undefined) throw new Error(`record ${record.offset} is a duplicate`);
    if (judged.record.type === RECORD.block) state.define(judged.record);
    const dictionaries = state.dictionaries.of(judged.record);
    for (const { sequence, dictionary, share } of judged.record.spans) {
      const points = new PointColumns();
      decodeShare(share, points, new SketchColumns());
      const idOf = (ref: number) => toHex(state.table.id(dictionaries.get(dictionary)?.series[ref] ?? -1));
      const own = Array.from(
        { length: points.length },
        (_, i) => `${idOf(points.refs[i])} ${points.timesMs[i]} ${points.values[i]}`,
      );
      spans.set(sequence, { offset: record.offset, points: own });
    }
    state.tracker.end(judged.record, record.offset);
    state.nextOffset = record.offset + 1;
  }
  return spans;
}
