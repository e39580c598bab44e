import { afterEach, describe, expect, test } from '@jest/globals';
import type { ReplicaDivergence } from '@tidemark/contract';
import { evenMap, SERIES_CLASS, seriesId, seriesName } from '@tidemark/model';
import { LogBuilder, shareOf } from '@tidemark/point-log/testing';
import { decodeRecord, encodeRecord, RECORD } from '@tidemark/point-records';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '@tidemark/point-store';
import type { LogRecord } from '@tidemark/ports';
import { asAnswered, QueryService } from '@tidemark/query';
import { type PointStoreProcess, ReplicaStores, type TagStoreProcess } from '@tidemark/replicas';
import { MemoryKeyValue, SimulatedClock } from '@tidemark/simulation';
import { TagRecordWriter } from '@tidemark/tag-records';
import { CHECKPOINT_RECORDS, TagPartition } from '@tidemark/tag-store';

const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 1_000, bucketMs: 10_000 };
const CONSUMER = { logNext: 0, halted: '', haltedOffset: -1, problem: '' };

let stores: ReplicaStores | undefined;
afterEach(() => stores?.stop());

/** Appends one block per second, with points of two series. */
function pointsLog(seconds: number): LogRecord[] {
  const builder = new LogBuilder();
  builder.bare(RECORD.open, 0, 0);
  for (let second = 0; second < seconds; second++) {
    const points = [0, 1].map((series) => ({ series, timeMs: second * 1000, value: second + series }));
    builder.block(0, second * 1000 + 500, [{ client: 0, sequence: second, points }]);
  }
  return builder.records;
}

/** Returns a wrong record with valid checksums, like the copy of a replica with a memory error. */
function corrupted(record: LogRecord): LogRecord {
  const block = decodeRecord(record.value);
  const [span] = block.spans;
  const share = shareOf([{ series: 0, timeMs: 12_000, value: 99 }], () => 0);
  return { ...record, value: encodeRecord({ ...block, spans: [{ ...span, share }] }) };
}

async function pointStore(name: string): Promise<{ process: PointStoreProcess; partition: PointPartition }> {
  const keyValue = new MemoryKeyValue();
  const partition = await PointPartition.open({ partition: 0, keyValue, limits: LIMITS, latenessMs: () => 3000 });
  const reader: PointStoreProcess['reader'] = {
    aggregate: (request, signal) => partition.aggregate(request, signal),
    status: async () => ({ ...partition.status, ...CONSUMER }),
    positions: async () => ({ positions: [{ ...partition.position, ...CONSUMER }] }),
  };
  return { process: { name, reader, partitions: [0] }, partition };
}

async function tagStore(name: string): Promise<{ process: TagStoreProcess; partition: TagPartition }> {
  const partition = await TagPartition.open({ keyValue: new MemoryKeyValue() });
  const reader: TagStoreProcess['reader'] = {
    match: async (request) => partition.match(request),
    describeMetrics: async (request) => partition.describeMetrics(request),
    describeTags: async (request) => partition.describeTags(request),
    seriesTags: async (request) => partition.seriesTags(request),
    status: async () => {
      const { offset, committedOffset, series, metrics, stateHash, stateHashes } = partition.status();
      const own = { partition: 0, offset, committedOffset, series, metrics, stateHash, stateHashes: [...stateHashes] };
      return { ...own, memory: [], gaps: partition.gaps(0), ...CONSUMER };
    },
    positions: async () => ({ positions: [{ partition: 0, ...partition.position, ...CONSUMER }] }),
  };
  return { process: { name, reader, partitions: [0] }, partition };
}

/** Watches the processes and records the reported divergences. */
async function watch(points: readonly PointStoreProcess[], tags: readonly TagStoreProcess[]) {
  const clock = new SimulatedClock();
  const reported: [string, ReplicaDivergence][] = [];
  stores = new ReplicaStores({ points, tags, clock, onDivergence: (...event) => reported.push(event) });
  void stores.start();
  await clock.advance(10);
  return { clock, reported, stores };
}

describe('a replica that was corrupted', () => {
  test('a replica of points is named with bucket and offset, in the status and in the answers that need it', async () => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(pointStore));
    const tags = await tagStore('t');
    const { clock, reported, stores } = await watch(
      [a, b, c].map(({ process }) => process),
      [tags.process],
    );
    const log = pointsLog(45);
    for (const { partition } of [a, b, c]) {
      for (const record of log) {
        partition.apply(partition === b.partition && record.offset === 13 ? corrupted(record) : record);
        if (partition.wantsCommit) await partition.commit();
      }
      await partition.whenClosed();
    }
    await clock.advance(2500);
    expect(a.partition.status.stateHashes.length).toBeGreaterThan(2);
    expect(reported.map(([event]) => event)).toEqual(['found']);
    const [[, found]] = reported;
    const [good, bad] = found.hashes;
    expect(found).toMatchObject({ topic: 'points', partition: 0, bucketMs: 10_000, offset: good.offset });
    expect([good.process, bad.process, good.hash === bad.hash]).toEqual(['a', 'b', false]);
    // The third replica agrees with the first, so the second is wrong.
    const [{ hashes }] = stores.divergences;
    expect(hashes.map(({ process, hash }) => [process, hash === good.hash])).toEqual([
      ['a', true],
      ['b', false],
      ['c', true],
    ]);

    const service = new QueryService({ stores, clock, maps: () => [evenMap(1)], latenessMs: () => 0 });
    const status = await service.status('default');
    expect(status.divergences).toEqual(stores.divergences);
    expect(status.replicas.map(({ topic, process, state }) => `${topic} ${process} ${state}`)).toEqual([
      'points a live',
      'points b live',
      'points c live',
      'tags t live',
    ]);
    expect(status.replicas[0].position?.offset).toBe(log.length);
    // Another tenant must learn that an answer may be wrong, but not the addresses of processes.
    expect((await service.status('other')).replicas).toEqual([]);
    const about = (fromMs: number) =>
      service.run('other', { query: 'avg:m{*}.rollup(1)', fromMs, toMs: fromMs + 9000 }, asAnswered);
    expect((await about(11_000)).notes).toContain(
      `replicas of points/0 differ (offset ${found.offset}): values that depend on it may be wrong`,
    );
    expect((await about(0)).notes).toEqual(['no metric m in this range']);
    // Two replicas agree, so the third answers only if neither of them does.
    const { aggregate } = b.process.reader;
    let asked = 0;
    b.process.reader.aggregate = (...request) => {
      asked++;
      return aggregate(...request);
    };
    for (let i = 0; i < 10; i++) await about(11_000);
    expect(asked).toBe(0);

    // The second replica is rebuilt from the log.
    const rebuilt = await pointStore('b');
    Object.assign(b.process.reader, rebuilt.process.reader);
    for (const record of log) {
      rebuilt.partition.apply(record);
      if (rebuilt.partition.wantsCommit) await rebuilt.partition.commit();
      if (record.offset === 20) await clock.advance(1500);
    }
    await rebuilt.partition.whenClosed();
    await clock.advance(2500);
    expect(reported.map(([event]) => event)).toEqual(['found', 'ended']);
    expect(stores.divergences).toEqual([]);
  });

  test('a replica of tags is named with the offset of the next checkpoint, or of the position where both wait', async () => {
    const [a, b] = await Promise.all(['a', 'b'].map(tagStore));
    const { clock, reported, stores } = await watch([], [a.process, b.process]);
    const record = (offset: number, host: string): LogRecord => {
      const writer = new TagRecordWriter();
      const name = seriesName('default', 'm', SERIES_CLASS.reading, [`host:${host}`]);
      writer.addSeries(seriesId(name), name, 20_000);
      return { offset, appendTimeMs: 0, value: writer.take() };
    };
    for (let offset = 0; offset < CHECKPOINT_RECORDS + 10; offset++) {
      a.partition.apply(record(offset, `h${offset}`));
      b.partition.apply(record(offset, offset === 100 ? 'wrong' : `h${offset}`));
      // After this the two are never at the same offset, so only the checkpoint shows the difference.
      if (offset === 50) await clock.advance(1500);
    }
    a.partition.apply(record(CHECKPOINT_RECORDS + 10, 'one more'));
    await clock.advance(2500);
    expect(reported).toHaveLength(1);
    expect(reported[0]).toMatchObject(['found', { topic: 'tags', partition: 0, offset: CHECKPOINT_RECORDS }]);
    expect(stores.divergences[0].hashes.map(({ process }) => process)).toEqual(['a', 'b']);
  });

  test('replicas at different offsets, or after a restart, are not reported', async () => {
    const log = pointsLog(45);
    const [a, b] = await Promise.all(['a', 'b'].map(pointStore));
    const { clock, reported } = await watch(
      [a, b].map(({ process }) => process),
      [],
    );
    for (const record of log) {
      a.partition.apply(record);
      if (a.partition.wantsCommit || record.offset % 7 === 0) await a.partition.commit();
      if (record.offset % 5 === 0) await clock.advance(1100);
    }
    for (const record of log) {
      b.partition.apply(record);
      if (b.partition.wantsCommit) await b.partition.commit();
      if (record.offset % 3 === 0) await clock.advance(1100);
    }
    await Promise.all([a, b].map(({ partition }) => partition.whenClosed()));
    await clock.advance(2500);
    expect(b.partition.status.stateHashes).toEqual(a.partition.status.stateHashes);
    expect(b.partition.status.stateHashes.length).toBeGreaterThan(2);
    expect(reported).toEqual([]);
  });
});
