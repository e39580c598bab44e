import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ByteWriter, IdHash } from '@tidemark/bytes';
import { encodeShare, PointColumns } from '@tidemark/columns';
import { BatchResult_Outcome, type SendRequest } from '@tidemark/contract';
import { ControlFollower, ControlWriter } from '@tidemark/control-log';
import { openEmbeddedLog } from '@tidemark/embedded-log';
import { DEFAULT_INTAKE_LIMITS, DEFAULT_LANE_TIMING, IntakeSession, openStream, sessionClock } from '@tidemark/intake';
import { DEFAULT_POINT_LIMITS, evenMap, KIND, packSlots } from '@tidemark/model';
import { holdProcess, LocalDisk, SystemClock, SystemRandom, yieldTurn } from '@tidemark/node-runtime';
import { sleep } from '@tidemark/ports';
import { openRocksDb } from '@tidemark/rocksdb';
import { TagPartition } from '@tidemark/tag-store';
import { type Measurement, machine } from './measurement.ts';

/** Series of one batch: a scrape of some targets. */
const BATCH = 2000;
const WARM_BATCHES = 25;
const BATCHES = 100;
const METRICS = 50;
const TAGS = 8;
const READ = { maxBytes: 1 << 20, waitMs: 0 };
const clock = new SystemClock();

/** CPU time of the process by what it was spent on, in µs. */
class CpuTime {
  readonly spent = { define: 0, send: 0, again: 0, store: 0 };

  async of<T>(what: keyof CpuTime['spent'], work: () => Promise<T>): Promise<T> {
    const began = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(began);
    this.spent[what] += user + system;
    return result;
  }
}

/** An intake of one partition over the embedded log in a folder, a client's stream to it, and the partition's tag store. */
async function openParts(folder: string) {
  const random = new SystemRandom();
  const partitions = { points: 1, tags: 1, control: 1 };
  const log = await openEmbeddedLog({ clock, disk: new LocalDisk(join(folder, 'log')), random, partitions });
  const { slots, epoch } = evenMap(1);
  const writer = new ControlWriter(log, clock);
  await writer.append({ $case: 'term', value: { term: 1, process: 'bench' } });
  const map = { epoch, partitions: 1, slots: packSlots({ epoch, partitions: 1, slots }) };
  await writer.append({ $case: 'map', value: { term: 1, expectedEpoch: 0, map } });
  const control = new ControlFollower(log, clock);
  await control.start();
  const session = new IntakeSession({
    ...{ log, control, clock, acceptClock: sessionClock(clock), random, process: 'bench' },
    limits: { ...DEFAULT_INTAKE_LIMITS, ...DEFAULT_POINT_LIMITS },
    timing: DEFAULT_LANE_TIMING,
    knownSeries: async (_partition, _tenant, ids) => ids.map(() => false),
  });
  await session.start();
  const keyValue = await openRocksDb(join(folder, 'tags'));
  const slicing = { clock, yieldTurn };
  const tags = await TagPartition.open({ keyValue, slicing, idHash: new IdHash(random.bytes(16)) });
  return { log, session, tags, keyValue };
}

function definitionsOf(batch: number): SendRequest['message'] {
  const series = Array.from({ length: BATCH }, (_, i) => {
    const pod = Math.floor(i / METRICS);
    const own = [`pod:web-${batch}-${pod}`, `container:app-${batch}-${pod}`];
    const shared = Array.from(
      { length: TAGS - own.length },
      (__, n) => `label${n}:value-${n}-${(batch * 7 + pod) % 50}`,
    );
    return { metric: `app.metric.${i % METRICS}`, kind: KIND.gauge, tags: [...own, ...shared] };
  });
  return { $case: 'definitions', value: { mapEpoch: 1, partition: 0, firstRef: batch * BATCH, series } };
}

/** A point of each series of a batch. */
function pointsOf(batch: number, sequence: number): SendRequest['message'] {
  const columns = new PointColumns(BATCH);
  const timeMs = clock.wallMs();
  for (let i = 0; i < BATCH; i++) columns.push(batch * BATCH + i, Math.floor(timeMs), i);
  const out = new ByteWriter();
  encodeShare(columns, undefined, out);
  const stamp = { sequence, mapEpoch: 1, floor: sequence, frontierMs: undefined, stampedMs: Math.floor(timeMs) };
  return { $case: 'batch', value: { ...stamp, shares: [{ partition: 0, points: Buffer.from(out.take()) }] } };
}

/**
 * Claim `new-series`: what a series costs that is seen for the first time, from the message of a client that defines it to its
 * entry in the tag store. What its points cost is that of the next points of the same series, and is subtracted.
 */
export async function newSeries(): Promise<Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-new-series-'));
  // Timers of the parts do not hold a process.
  const release = holdProcess();
  const parts = await openParts(folder);
  try {
    const { define, send, again, store } = await measure(parts);
    const conditions =
      `${BATCHES * BATCH} series of ${METRICS} metrics with ${TAGS} tags, of which two are of ${METRICS} series each, in batches of ` +
      `${BATCH}, after ${WARM_BATCHES * BATCH} that are not counted; embedded log and RocksDB on disk; CPU time of the ` +
      `process, without gRPC and the point store; ${machine()}`;
    const figure = (name: string, microseconds: number): Measurement => {
      return { name, value: microseconds / (BATCHES * BATCH), unit: 'µs/series', conditions };
    };
    return [
      figure('new-series', define + send - again + store),
      figure('new-series-define', define),
      figure('new-series-publish', send - again),
      figure('new-series-store', store),
    ];
  } finally {
    release();
    await parts.session.close();
    await parts.keyValue.close();
    await parts.log.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure({ log, session, tags }: Awaited<ReturnType<typeof openParts>>): Promise<CpuTime['spent']> {
  const settled: ((outcome: BatchResult_Outcome) => void)[] = [];
  const stream = openStream(session, 'default', ({ message }) => {
    if (message?.$case === 'batch') settled.shift()?.(message.value.outcome);
  });
  const send = async (batch: number, sequence: number) => {
    for (;;) {
      const answered = new Promise<BatchResult_Outcome>((settle) => settled.push(settle));
      await stream.receive({ message: pointsOf(batch, sequence) });
      if ((await answered) === BatchResult_Outcome.ACKED) return;
      await sleep(clock, 100);
    }
  };
  const clientSession = Buffer.alloc(16, 1);
  await stream.receive({ message: { $case: 'hello', value: { clientSession, clientName: 'bench' } } });
  let cpu = new CpuTime();
  for (let batch = 0; batch < WARM_BATCHES + BATCHES; batch++) {
    if (batch === WARM_BATCHES) cpu = new CpuTime();
    const definitions = definitionsOf(batch);
    await cpu.of('define', () => stream.receive({ message: definitions }));
    await cpu.of('send', () => send(batch, 2 * batch));
    await cpu.of('again', () => send(batch, 2 * batch + 1));
    await cpu.of('store', async () => {
      for (const record of await log.read('tags', 0, tags.nextOffset, READ)) {
        tags.apply(record);
        if (tags.wantsCommit) await tags.commit();
      }
    });
  }
  stream.close();
  return cpu.spent;
}
