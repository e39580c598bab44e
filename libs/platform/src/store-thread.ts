import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { openEmbeddedLogReader } from '@tidemark/embedded-log';
import { PartitionConsumer, type PartitionState } from '@tidemark/partition';
import { PointPartition } from '@tidemark/point-store';
import { assert, isTidemarkError, type KeyValue, TidemarkError, type Topic } from '@tidemark/ports';
import { openRocksDb } from '@tidemark/rocksdb';
import { LocalDisk, SystemClock } from '@tidemark/system';
import { TagPartition } from '@tidemark/tag-store';
import { seriesCounts } from './series-counts.ts';
import { answering, type StoreMethod } from './store-calls.ts';
import type { CarriedError, FromStore, StoreThreadOptions, ToStore } from './store-messages.ts';

/**
 * A thread that owns some partitions: for each a point store and a tag store, each reading its topic of the log, and
 * answering queries in between.
 */
const port = parentPort;
assert(port !== null, 'a store thread is started by the platform');
const options = workerData as StoreThreadOptions;
const clock = new SystemClock();
/** A commit is a few MiB; up to two such buffers exist in each of the stores. */
const WRITE_BUFFER_BYTES = 16 * 1024 * 1024;
const log = await openEmbeddedLogReader({
  disk: new LocalDisk(join(options.folder, 'log')),
  clock,
  partitions: { points: options.partitions, tags: options.partitions, control: 1 },
});
const skips = new Map<string, string>();
const points = new Map<number, { store: PointPartition; consumer: PartitionConsumer }>();
const tags = new Map<number, { store: TagPartition; consumer: PartitionConsumer }>();
/** What came before the stores were open waits here. */
const early: ToStore[] = [];
let isOpen = false;
const databases: KeyValue[] = [];

/** One function a method: request bytes in, reply bytes out. */
const ANSWERS: Record<StoreMethod, (request: Uint8Array) => Promise<Uint8Array>> = {
  aggregate: answering('aggregate', (request) => pointsOf(request.partition).store.aggregate(request)),
  pointStatus: answering('pointStatus', ({ partition }) => {
    const { store, consumer } = pointsOf(partition);
    return { ...store.status, ...positionOf(consumer) };
  }),
  match: answering('match', (request) => tagsOf(request.partition).store.match(request)),
  describeMetrics: answering('describeMetrics', (request) => tagsOf(request.partition).store.describeMetrics(request)),
  describeTags: answering('describeTags', (request) => tagsOf(request.partition).store.describeTags(request)),
  seriesTags: answering('seriesTags', (request) => tagsOf(request.partition).store.seriesTags(request)),
  tagStatus: answering('tagStatus', ({ partition }) => {
    const { store, consumer } = tagsOf(partition);
    const { offset, committedOffset, series, metrics, stateHash } = store.status();
    const gaps = store.gaps(partition);
    return { partition, offset, committedOffset, series, metrics, stateHash, gaps, ...positionOf(consumer) };
  }),
};

/** What a consumer knows of its place in the log. */
function positionOf({ logNext, halt }: PartitionConsumer): { logNext: number; halted: string; haltedOffset: number } {
  return { logNext, halted: halt?.error.message ?? '', haltedOffset: halt?.offset ?? -1 };
}

port.on('message', (message: ToStore) => {
  if (message.type === 'progress')
    log.advance(message.topic, message.partition, message.next, message.first, message.segment);
  else if (message.type === 'skip')
    skips.set(`${message.topic}/${message.partition}/${message.offset}`, message.reason);
  else if (isOpen) void serve(message);
  else early.push(message);
});

for (const partition of options.owned) {
  const pointStore = await PointPartition.open({
    partition,
    keyValue: await openDatabase('points', partition),
    limits: options.limits,
    latenessMs: () => options.latenessMs,
  });
  const tagStore = await TagPartition.open({
    keyValue: await openDatabase('tags', partition),
  });
  points.set(partition, { store: pointStore, consumer: consume('points', partition, pointStore) });
  tags.set(partition, { store: tagStore, consumer: consume('tags', partition, tagStore) });
}
isOpen = true;
send({ type: 'ready' });
for (const message of early.splice(0)) void serve(message);

async function openDatabase(kind: string, partition: number): Promise<KeyValue> {
  const database = await openRocksDb(join(options.folder, kind, String(partition)), {
    writeBufferBytes: WRITE_BUFFER_BYTES,
  });
  databases.push(database);
  return database;
}

function send(message: FromStore): void {
  port?.postMessage(message);
}

function consume(topic: Topic, partition: number, state: PartitionState): PartitionConsumer {
  const announced: PartitionState = {
    get nextOffset() {
      return state.nextOffset;
    },
    get committedOffset() {
      return state.committedOffset;
    },
    get wantsCommit() {
      return state.wantsCommit;
    },
    apply: (record) => state.apply(record),
    skip: (reason) => state.skip(reason),
    commit: async () => {
      await state.commit();
      send({ type: 'committed', topic, partition, offset: state.committedOffset });
    },
  };
  const consumer = new PartitionConsumer({
    log,
    topic,
    partition,
    state: announced,
    clock,
    skipReason: (offset) => skips.get(`${topic}/${partition}/${offset}`),
    onHalt: (halt) => {
      send({ type: 'halted', topic, partition, offset: halt?.offset ?? -1, reason: halt?.error.message ?? '' });
    },
    onProblem: (error) => send({ type: 'problem', topic, partition, reason: error?.message }),
  });
  send({ type: 'committed', topic, partition, offset: state.committedOffset });
  consumer.start();
  return consumer;
}

async function serve(message: ToStore): Promise<void> {
  if (message.type === 'stop') return stop();
  if (message.type === 'progress' || message.type === 'skip') return;
  try {
    send({ type: 'reply', id: message.id, reply: await answer(message) });
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
    const { code, message: text, detail } = error;
    const carried: CarriedError = { code, message: text, detail };
    send({ type: 'failed', id: message.id, error: carried });
  }
}

async function answer(message: Exclude<ToStore, { type: 'progress' | 'skip' | 'stop' }>) {
  if (message.type === 'stateHash') return pointsOf(message.partition).store.stateHash();
  if (message.type === 'seriesCounts') {
    const stores = [...tags.values()].map(({ store }) => store);
    return seriesCounts(stores, options.metricSeries, message.sinceDay);
  }
  return ANSWERS[message.method](message.request);
}

function pointsOf(partition: number): { store: PointPartition; consumer: PartitionConsumer } {
  const found = points.get(partition);
  if (found === undefined) throw new TidemarkError('not_found', `points/${partition} is not of this thread`);
  return found;
}

function tagsOf(partition: number): { store: TagPartition; consumer: PartitionConsumer } {
  const found = tags.get(partition);
  if (found === undefined) throw new TidemarkError('not_found', `tags/${partition} is not of this thread`);
  return found;
}

/**
 * Ends the consumers, each with a last commit, so that the next start has nothing to read again. One that can't commit
 * (a full disk) costs just that, and keeps no other from it.
 */
async function stop(): Promise<void> {
  await Promise.all([...stopAll('points', points), ...stopAll('tags', tags)]);
  await Promise.all(databases.map((database) => database.close()));
  await log.close();
  port?.close();
}

function stopAll(topic: Topic, stores: ReadonlyMap<number, { readonly consumer: PartitionConsumer }>): Promise<void>[] {
  return [...stores].map(async ([partition, { consumer }]) => {
    try {
      await consumer.stop();
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      send({ type: 'problem', topic, partition, reason: `the last commit failed: ${error.message}` });
    }
  });
}
