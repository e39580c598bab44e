import { join } from 'node:path';
import { setImmediate as nextRound } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { AggregatorPartition } from '@tidemark/aggregator';
import { type ConsumedState, LogConsumer } from '@tidemark/log-consumer';
import { SystemClock } from '@tidemark/node-runtime';
import { PointPartition } from '@tidemark/point-store';
import { assert, isTidemarkError, type KeyValue, TidemarkError, type Topic } from '@tidemark/ports';
import { openRocksDb } from '@tidemark/rocksdb';
import { TagPartition } from '@tidemark/tag-store';
import { answering, type StoreMethod } from './store-calls.ts';
import { openStoreLog } from './store-log.ts';
import type { CarriedError, FromStore, StoreThreadStart, ToStore } from './store-messages.ts';

/**
 * A thread that owns some partitions: for each a point store, a tag store or an aggregator, or several of them, each
 * reading its topic of the log and answering in between.
 */
const port = parentPort;
assert(port !== null, 'a store thread is started by the platform');
const { options } = workerData as StoreThreadStart;
const clock = new SystemClock();
/** A commit is a few MiB; up to two such buffers exist in each of the stores. */
const WRITE_BUFFER_BYTES = 16 * 1024 * 1024;
const HASH_TRIES = 20;
const log = await openStoreLog(options.log, clock);
const skips = new Map<string, string>();
const points = new Map<number, { store: PointPartition; consumer: LogConsumer }>();
const tags = new Map<number, { store: TagPartition; consumer: LogConsumer }>();
const aggregators = new Map<number, { store: AggregatorPartition; consumer: LogConsumer }>();
/** What came before the stores were open waits here. */
const early: ToStore[] = [];
let isOpen = false;
const databases: KeyValue[] = [];
type Read = Extract<ToStore, { type: 'call' }>;
/** What is being answered, by the id of the call. */
const running = new Map<number, AbortController>();

/** One function a method: request bytes in, reply bytes out. */
const ANSWERS: Record<StoreMethod, (request: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>> = {
  aggregate: answering('aggregate', (request, signal) => pointsOf(request.partition).store.aggregate(request, signal)),
  pointStatus: answering('pointStatus', ({ partition }) => {
    const { store, consumer } = pointsOf(partition);
    return { ...store.status, ...consumer.position };
  }),
  pointStateHash: answering('pointStateHash', ({ partition }) => hashOf(pointsOf(partition).store)),
  pointPositions: answering('pointPositions', () => ({
    positions: [...points.values()].map(({ store, consumer }) => ({ ...store.position, ...consumer.position })),
  })),
  tagPositions: answering('tagPositions', () => ({
    positions: [...tags].map(([partition, { store, consumer }]) => ({
      partition,
      ...store.position,
      ...consumer.position,
    })),
  })),
  match: answering('match', (request) => tagsOf(request.partition).store.match(request)),
  describeMetrics: answering('describeMetrics', (request) => tagsOf(request.partition).store.describeMetrics(request)),
  describeTags: answering('describeTags', (request) => tagsOf(request.partition).store.describeTags(request)),
  seriesTags: answering('seriesTags', (request) => tagsOf(request.partition).store.seriesTags(request)),
  tagStatus: answering('tagStatus', ({ partition }) => {
    const { store, consumer } = tagsOf(partition);
    const { offset, committedOffset, series, metrics, stateHash, stateHashes } = store.status();
    const own = { partition, offset, committedOffset, series, metrics, stateHash, stateHashes: [...stateHashes] };
    return { ...own, gaps: store.gaps(partition), ...consumer.position };
  }),
  aggregatorStatus: answering('aggregatorStatus', ({ partition }) => {
    const { store, consumer } = aggregatorOf(partition);
    return { ...store.status, ...consumer.position };
  }),
  seriesCounts: answering('seriesCounts', ({ partition, sinceDay, metricSeriesFrom }) => {
    const { tenants, metrics } = tagsOf(partition).store.budgets(0, metricSeriesFrom, sinceDay);
    return { counts: [...tenants.map(({ tenant, series }) => ({ tenant, metric: '', series })), ...metrics] };
  }),
};

port.on('message', (message: ToStore) => {
  if (message.type === 'progress')
    log.advance?.(message.topic, message.partition, message.next, message.first, message.segment);
  else if (message.type === 'skip')
    skips.set(`${message.topic}/${message.partition}/${message.offset}`, message.reason);
  else if (message.type === 'cancel') cancel(message.id);
  else if (isOpen) void serve(message);
  else early.push(message);
});

for (const partition of options.owned) {
  if (options.kinds.includes('points')) points.set(partition, await openPoints(partition));
  if (options.kinds.includes('tags')) tags.set(partition, await openTags(partition));
  if (options.kinds.includes('aggregator')) aggregators.set(partition, await openAggregator(partition));
}
isOpen = true;
send({ type: 'ready' });
for (const message of early.splice(0)) void serve(message);

async function openPoints(partition: number): Promise<{ store: PointPartition; consumer: LogConsumer }> {
  const store = await PointPartition.open({
    partition,
    keyValue: await openDatabase('points', partition),
    limits: options.limits,
    latenessMs: () => options.latenessMs,
    // An immediate comes after the port's messages and the log's reads of its round.
    slicing: { clock, giveWay: () => nextRound() },
  });
  return { store, consumer: consume('points', partition, store) };
}

async function openTags(partition: number): Promise<{ store: TagPartition; consumer: LogConsumer }> {
  const store = await TagPartition.open({ keyValue: await openDatabase('tags', partition) });
  return { store, consumer: consume('tags', partition, store) };
}

async function openAggregator(partition: number): Promise<{ store: AggregatorPartition; consumer: LogConsumer }> {
  const store = await AggregatorPartition.open({ partition, keyValue: await openDatabase('aggregator', partition) });
  return { store, consumer: consume('points', partition, store) };
}

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

function consume(topic: Topic, partition: number, state: ConsumedState): LogConsumer {
  const announced: ConsumedState = {
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
  const consumer = new LogConsumer({
    log,
    topic,
    partition,
    state: announced,
    clock,
    skipReason: (offset) => skips.get(`${topic}/${partition}/${offset}`),
    onHalt: (halt) => {
      send({ type: 'halted', topic, partition, offset: halt?.offset ?? -1, reason: halt?.error.message ?? '' });
    },
    onCaughtUp: () => send({ type: 'caughtUp', topic, partition }),
    onProblem: (found) => {
      const problem = found && { code: found.error.code, message: found.error.message, during: found.during };
      send({ type: 'problem', topic, partition, problem });
    },
  });
  send({ type: 'committed', topic, partition, offset: state.committedOffset });
  consumer.start();
  return consumer;
}

async function serve(message: ToStore): Promise<void> {
  if (message.type === 'stop') return stop();
  if (message.type === 'progress' || message.type === 'skip' || message.type === 'cancel') return;
  const { id } = message;
  const abort = new AbortController();
  running.set(id, abort);
  try {
    send({ type: 'reply', id, reply: await ANSWERS[message.method](message.request, abort.signal) });
  } catch (error) {
    send({ type: 'failed', id, error: carriedError(message, error) });
  } finally {
    running.delete(id);
  }
}

/** A read changes nothing, so a mistake in one ends that read alone: this thread also takes in what is ingested. */
function carriedError(message: Read, error: unknown): CarriedError {
  if (isTidemarkError(error)) return { code: error.code, message: error.message, detail: error.detail };
  const read = message.method;
  send({ type: 'bug', read, stack: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  return { code: 'internal', message: `${read} failed by a mistake in the store`, detail: {} };
}

function cancel(id: number): void {
  const waiting = early.findIndex((message) => 'id' in message && message.id === id);
  if (waiting >= 0) early.splice(waiting, 1);
  running.get(id)?.abort();
}

/** A hash is of one offset: when records come in meanwhile it is taken again. */
async function hashOf(store: PointPartition): Promise<{ offset: number; hash: string }> {
  for (let i = 0; i < HASH_TRIES; i++) {
    const offset = store.nextOffset;
    const hash = await store.stateHash();
    if (store.nextOffset === offset) return { offset, hash };
  }
  throw new TidemarkError('aborted', 'the partition takes records faster than it can be hashed; try again later');
}

function pointsOf(partition: number): { store: PointPartition; consumer: LogConsumer } {
  const found = points.get(partition);
  if (found === undefined) throw new TidemarkError('not_found', `points/${partition} is not of this thread`);
  return found;
}

function tagsOf(partition: number): { store: TagPartition; consumer: LogConsumer } {
  const found = tags.get(partition);
  if (found === undefined) throw new TidemarkError('not_found', `tags/${partition} is not of this thread`);
  return found;
}

function aggregatorOf(partition: number): { store: AggregatorPartition; consumer: LogConsumer } {
  const found = aggregators.get(partition);
  if (found === undefined) throw new TidemarkError('not_found', `aggregator/${partition} is not of this thread`);
  return found;
}

/**
 * Ends the consumers, each with a last commit, so that the next start has nothing to read again. One that can't commit
 * (a full disk) costs just that, and keeps no other from it.
 */
async function stop(): Promise<void> {
  for (const abort of running.values()) abort.abort();
  await Promise.all([...stopAll('points', points), ...stopAll('tags', tags), ...stopAll('points', aggregators)]);
  await Promise.all(databases.map((database) => database.close()));
  await log.close();
  port?.close();
}

function stopAll(topic: Topic, stores: ReadonlyMap<number, { readonly consumer: LogConsumer }>): Promise<void>[] {
  return [...stores].map(async ([partition, { consumer }]) => {
    try {
      await consumer.stop();
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      const message = `the last commit failed: ${error.message}`;
      send({ type: 'problem', topic, partition, problem: { code: error.code, message, during: 'commit' } });
    }
  });
}
