import { AGGREGATOR_VERSION, AggregatorPartition } from '@tidemark/aggregator';
import type { IdHash } from '@tidemark/bytes';
import type { Gap, ReplicaPosition } from '@tidemark/contract';
import type { ConsumedState, LogConsumer } from '@tidemark/log-consumer';
import { DAY_MS } from '@tidemark/model';
import { type PageCodec, POINT_STORE_VERSION, PointPartition } from '@tidemark/point-store';
import {
  assert,
  type KeyValue,
  type SlicedWork,
  type Slicing,
  slicingOf,
  TidemarkError,
  type Topic,
  WorkSlice,
} from '@tidemark/ports';
import {
  answerInSlices,
  definitionOf,
  type PartitionMethod,
  type ReplyOf,
  type RequestOf,
  requestedPartition,
  type StoreKind,
} from '@tidemark/store-rpc';
import { TAG_STORE_VERSION, TagPartition } from '@tidemark/tag-store';
import type { StoreWorkerOptions } from './store-messages.ts';

/** Options for opening the store of a partition. */
export interface StoreOpening {
  readonly partition: number;
  readonly keyValue: KeyValue;
  /** When work of the store yields to the messages and reads of its thread. */
  readonly slicing: Slicing;
  readonly options: Pick<StoreWorkerOptions, 'limits' | 'latenessMs'>;
  /** Hash of tables, with a random key: senders cannot choose names that collide. */
  readonly idHash: IdHash;
  /** What pages of points are written and read with. */
  readonly pageCodec: PageCodec;
  /** Random bytes of this opening. */
  readonly instance: Uint8Array;
}

/** The part of a consumer that its store uses: the position in the log. */
type Consumer = Pick<LogConsumer, 'position'>;

/** The store of one partition, of any kind. */
export interface StorePartition {
  readonly state: ConsumedState;
  /** Answers a method about this partition, in the bytes of the contract. */
  answer(method: string, request: Uint8Array, consumer: Consumer, signal: AbortSignal): Promise<Uint8Array>;
  /** Returns how far the store has read and committed. */
  position(consumer: Consumer): ReplicaPosition;
  /** Gives back what the store has of its thread. It reads and commits nothing any more. */
  close?(): void;
}

/** Opens the stores of one kind; each reads `topic`. */
export interface StoreKindRow {
  readonly topic: Topic;
  /** Version of the format of its database. */
  readonly format: number;
  /**
   * Reads and commits what the log has before its database is copied: names of series must be in snapshots of which the points were
   * copied before. A commit of points ends pages, and follows the log alone.
   */
  readonly commitsForCopies: boolean;
  open(opening: StoreOpening): Promise<StorePartition>;
}

interface Opened<Store> {
  readonly partition: number;
  readonly store: Store;
  readonly consumer: Consumer;
  /** Does long work in slices, until the request is cancelled. */
  readonly inSlices: <T>(work: SlicedWork<T, number>) => Promise<T>;
}

/** Functions that answer the methods of a kind for one partition. */
type Answers<K extends StoreKind, Store> = {
  readonly [M in PartitionMethod<K>]: (
    opened: Opened<Store>,
    request: RequestOf<K, M>,
    signal: AbortSignal,
  ) => ReplyOf<K, M> | Promise<ReplyOf<K, M>>;
};

type UntypedAnswer<Store> = (opened: Opened<Store>, request: unknown, signal: AbortSignal) => unknown;

/** Attempts to compute a hash while no record is applied. */
const HASH_TRIES = 20;

/** Days of series stay longer than their points, whose buckets may reach into the next day. */
const DAYS_AFTER_POINTS = 2;

/** Every kind of store that a thread can have: its topic, its opener, and the answers to the methods of its service. */
export const STORE_KINDS: Readonly<Record<StoreKind, StoreKindRow>> = {
  points: storeKind<'points', PointPartition>('points', {
    topic: 'points',
    format: POINT_STORE_VERSION,
    commitsForCopies: false,
    open: ({ partition, keyValue, slicing, options, idHash, pageCodec }) =>
      PointPartition.open({
        partition,
        keyValue,
        limits: options.limits,
        latenessMs: () => options.latenessMs,
        slicing,
        idHash,
        codec: pageCodec,
      }),
    position: ({ store, consumer }) => ({ ...store.position, ...consumer.position }),
    close: (store) => store.close(),
    answers: {
      aggregate: ({ store }, request, signal) => store.aggregate(request, signal),
      status: ({ store, consumer }, { tagsOffset }) => {
        const coveredWatermarkMs = tagsOffset === undefined ? undefined : store.coveredWatermarkMs(tagsOffset);
        return { ...store.status, coveredWatermarkMs, ...consumer.position };
      },
      stateHash: ({ store }) => hashOf(store),
    },
  }),
  tags: storeKind<'tags', TagPartition>('tags', {
    topic: 'tags',
    format: TAG_STORE_VERSION,
    commitsForCopies: true,
    open: ({ keyValue, idHash, slicing, options, instance }) => {
      const { retentionMs } = options.limits;
      const retentionDays = retentionMs === 0 ? 0 : Math.ceil(retentionMs / DAY_MS) + DAYS_AFTER_POINTS;
      return TagPartition.open({ keyValue, idHash, slicing, retentionDays, instance });
    },
    position: ({ partition, store, consumer }) => ({ partition, ...store.position, ...consumer.position }),
    answers: {
      match: ({ store, inSlices }, request) => inSlices(store.reads.match(request)),
      describeMetrics: ({ store, inSlices }, request) => inSlices(store.reads.describeMetrics(request)),
      describeTags: ({ store, inSlices }, request) => inSlices(store.reads.describeTags(request)),
      seriesTags: ({ store, inSlices }, request) => inSlices(store.reads.seriesTags(request)),
      status: ({ partition, store, consumer }) => {
        const { offset, committedOffset, series, metrics, stateHash, stateHashes, memory } = store.status();
        const own = { partition, offset, committedOffset, series, metrics, stateHash, stateHashes: [...stateHashes] };
        return { ...own, memory: [...memory], gaps: store.gaps(partition), ...consumer.position };
      },
      seriesCounts: async ({ store, inSlices }, { sinceDay, metricSeriesFrom }) => {
        const { tenants, metrics } = await inSlices(store.reads.budgets(0, metricSeriesFrom, sinceDay));
        return { counts: [...tenants.map(({ tenant, series }) => ({ tenant, metric: '', series })), ...metrics] };
      },
    },
  }),
  aggregator: storeKind<'aggregator', AggregatorPartition>('aggregator', {
    topic: 'points',
    format: AGGREGATOR_VERSION,
    commitsForCopies: false,
    open: ({ partition, keyValue }) => AggregatorPartition.open({ partition, keyValue }),
    position: ({ store, consumer }) => ({ ...store.status, ...consumer.position }),
    answers: {
      status: ({ store, consumer }) => ({ ...store.status, ...consumer.position }),
    },
  }),
};

/** Creates a row whose stores are opened and called without knowing their types. */
function storeKind<K extends StoreKind, Store extends ConsumedState>(
  kind: K,
  row: {
    readonly topic: Topic;
    readonly format: number;
    readonly commitsForCopies: boolean;
    readonly open: (opening: StoreOpening) => Promise<Store>;
    readonly position: (opened: Omit<Opened<Store>, 'inSlices'>) => ReplicaPosition;
    readonly close?: (store: Store) => void;
    readonly answers: Answers<K, Store>;
  },
): StoreKindRow {
  const { topic, format, commitsForCopies, open, position } = row;
  // Each answer gets the request that the definition of its own name decodes.
  const untyped = row.answers as unknown as Readonly<Record<string, UntypedAnswer<Store> | undefined>>;
  return {
    topic,
    format,
    commitsForCopies,
    async open(opening) {
      const store = await open(opening);
      const { partition, slicing } = opening;
      return {
        state: store,
        position: (consumer) => position({ partition, store, consumer }),
        close: () => row.close?.(store),
        answer(method, request, consumer, signal) {
          const answered = untyped[method];
          assert(answered !== undefined, `${kind} stores have no method ${method}`);
          const own = slicingOf(slicing, requestedPartition(request).tenant);
          const inSlices = <T>(work: SlicedWork<T, number>) => new WorkSlice(own, signal).finish(work);
          return answerInSlices(definitionOf(kind, method), request, own, signal, async (asked) => {
            const reply = await answered({ partition, store, consumer, inSlices }, asked, signal);
            return method === 'status' ? reply : withHalt(reply, topic, partition, store, consumer);
          });
        },
      };
    },
  };
}

/**
 * An answer of a store that is halted lacks what follows in the log, which may be late points from before its watermark. So it
 * names that as a gap, next to those that were skipped.
 */
function withHalt(
  reply: unknown,
  topic: Topic,
  partition: number,
  { nextOffset }: ConsumedState,
  { position: { halted, logNext } }: Consumer,
): unknown {
  if (halted === '' || !hasGaps(reply)) return reply;
  const reason = `halted, later records are not read: ${halted}`;
  const gap = { topic, partition, offset: nextOffset, reason, records: Math.max(1, logNext - nextOffset) };
  return { ...reply, gaps: [...reply.gaps, gap] };
}

function hasGaps(reply: unknown): reply is { readonly gaps: readonly Gap[] } {
  return typeof reply === 'object' && reply !== null && 'gaps' in reply && Array.isArray(reply.gaps);
}

/** Computes the hash at one offset: it starts again when records are applied meanwhile. */
async function hashOf(store: PointPartition): Promise<{ offset: number; hash: string }> {
  for (let i = 0; i < HASH_TRIES; i++) {
    const offset = store.nextOffset;
    const hash = await store.stateHash();
    if (store.nextOffset === offset) return { offset, hash };
  }
  throw new TidemarkError('aborted', 'the partition applies records faster than it can be hashed; retry later');
}
