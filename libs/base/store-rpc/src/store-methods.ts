import type { MethodDefinition } from '@grpc/grpc-js';
import {
  AggregatorService,
  PointStoreService,
  type PositionsReply,
  type PositionsRequest,
  TagStoreService,
} from '@tidemark/contract';
import { assert } from '@tidemark/ports';

/**
 * The store that answers a method: `anyReplica` of a partition, for queries; `oneReplica` of a partition, which the
 * caller chooses; the whole `process`, for all of its partitions.
 */
export type Reach = 'anyReplica' | 'oneReplica' | 'process';

/** Path and codecs of a method, from its generated service, and its reach. */
export interface StoreMethod<Request, Reply, R extends Reach> {
  readonly definition: MethodDefinition<Request, Reply>;
  readonly reach: R;
}

/**
 * Every method of every kind of store. The gRPC services and clients, the calls to worker threads, and the readers that
 * pick a replica are all made from these rows. To add a method: write it in `proto/`, in the store's partition class,
 * add its row here, and name the function that answers it in `STORE_KINDS` of `store-workers`; the compiler asks for
 * the last.
 */
export const STORE_METHODS = {
  points: {
    aggregate: anyReplica(PointStoreService.aggregate),
    status: anyReplica(PointStoreService.partitionStatus),
    stateHash: oneReplica(PointStoreService.pointStateHash),
    positions: ofProcess(PointStoreService.pointPositions),
  },
  tags: {
    match: anyReplica(TagStoreService.match),
    describeMetrics: anyReplica(TagStoreService.describeMetrics),
    describeTags: anyReplica(TagStoreService.describeTags),
    seriesTags: anyReplica(TagStoreService.seriesTags),
    status: anyReplica(TagStoreService.tagPartitionStatus),
    seriesCounts: oneReplica(TagStoreService.seriesCounts),
    positions: ofProcess(TagStoreService.tagPositions),
  },
  aggregator: {
    status: oneReplica(AggregatorService.aggregatorStatus),
  },
} as const;

export type StoreKind = keyof typeof STORE_METHODS;
type Rows<K extends StoreKind> = (typeof STORE_METHODS)[K];

/** Names of the methods of a kind that have one of these reaches. */
export type MethodOf<K extends StoreKind, R extends Reach = Reach> = {
  [M in keyof Rows<K>]: Rows<K>[M] extends { readonly reach: R } ? M : never;
}[keyof Rows<K>] &
  string;

/** Names of the methods that are about one partition, which their request names. */
export type PartitionMethod<K extends StoreKind> = MethodOf<K, 'anyReplica' | 'oneReplica'>;

export type RequestOf<K extends StoreKind, M extends string> = M extends keyof Rows<K>
  ? Rows<K>[M] extends StoreMethod<infer Request, infer _, Reach>
    ? Request
    : never
  : never;

export type ReplyOf<K extends StoreKind, M extends string> = M extends keyof Rows<K>
  ? Rows<K>[M] extends StoreMethod<infer _, infer Reply, Reach>
    ? Reply
    : never
  : never;

/** Methods of a kind as functions. Failures are TidemarkErrors; an abort may end a request early. */
export type StoreReader<K extends StoreKind, M extends string> = {
  [N in M]: (request: RequestOf<K, N>, signal?: AbortSignal) => Promise<ReplyOf<K, N>>;
};

/** A method without the types of its messages, for code that handles all methods alike. */
export type UntypedMethod = (request: unknown, signal?: AbortSignal) => Promise<unknown>;

/** The path and the codecs of one method. */
export function definitionOf(kind: StoreKind, method: string): MethodDefinition<unknown, unknown> {
  const rows: Readonly<Record<string, { readonly definition: unknown }>> = STORE_METHODS[kind];
  assert(Object.hasOwn(rows, method), `${kind} stores have no method ${method}`);
  return rows[method].definition as MethodDefinition<unknown, unknown>;
}

/** The reach of one method. */
export function reachOf(kind: StoreKind, method: string): Reach {
  const rows: Readonly<Record<string, { readonly reach: Reach }>> = STORE_METHODS[kind];
  assert(Object.hasOwn(rows, method), `${kind} stores have no method ${method}`);
  return rows[method].reach;
}

/** Names of the methods of a kind that have one of these reaches. */
export function methodsOf<K extends StoreKind, R extends Reach>(kind: K, ...reaches: readonly R[]): MethodOf<K, R>[] {
  const rows: Readonly<Record<string, { readonly reach: Reach }>> = STORE_METHODS[kind];
  const wanted: ReadonlySet<Reach> = new Set(reaches);
  return Object.keys(rows).filter((method) => wanted.has(rows[method].reach)) as MethodOf<K, R>[];
}

/** A reader with the methods that any replica may answer, each made by `make`, for code that handles them alike. */
export function queryReader<K extends StoreKind>(
  kind: K,
  make: (method: MethodOf<K, 'anyReplica'>) => UntypedMethod,
): StoreReader<K, MethodOf<K, 'anyReplica'>> {
  const methods = QUERY_METHODS[kind] as readonly MethodOf<K, 'anyReplica'>[];
  return readerOf(methods, make) as StoreReader<K, MethodOf<K, 'anyReplica'>>;
}

/** A reader with the methods that are about one partition, each made by `make`. */
export function partitionReader<K extends StoreKind>(
  kind: K,
  make: (method: PartitionMethod<K>) => UntypedMethod,
): StoreReader<K, PartitionMethod<K>> {
  return readerOf(methodsOf(kind, 'anyReplica', 'oneReplica'), make) as StoreReader<K, PartitionMethod<K>>;
}

/** The method of a reader with this name. */
export function methodOf<K extends StoreKind>(
  reader: StoreReader<K, MethodOf<K, 'anyReplica'>>,
  method: MethodOf<K, 'anyReplica'>,
): UntypedMethod {
  // The caller passes only requests of the method with this name.
  const methods = reader as unknown as Readonly<Record<string, UntypedMethod>>;
  return (request, signal) => methods[method](request, signal);
}

function readerOf<M extends string>(
  methods: readonly M[],
  make: (method: M) => UntypedMethod,
): Readonly<Record<string, UntypedMethod>> {
  return Object.fromEntries(methods.map((method) => [method, make(method)]));
}

/** Names of the methods of queries by kind, computed once: every request of a query reads them. */
const QUERY_METHODS: Readonly<Record<StoreKind, readonly string[]>> = {
  points: methodsOf('points', 'anyReplica'),
  tags: methodsOf('tags', 'anyReplica'),
  aggregator: methodsOf('aggregator', 'anyReplica'),
};

interface OfPartition {
  readonly partition: number;
}

function anyReplica<Request extends OfPartition, Reply>(
  definition: MethodDefinition<Request, Reply>,
): StoreMethod<Request, Reply, 'anyReplica'> {
  return { definition, reach: 'anyReplica' };
}

function oneReplica<Request extends OfPartition, Reply>(
  definition: MethodDefinition<Request, Reply>,
): StoreMethod<Request, Reply, 'oneReplica'> {
  return { definition, reach: 'oneReplica' };
}

function ofProcess(
  definition: MethodDefinition<PositionsRequest, PositionsReply>,
): StoreMethod<PositionsRequest, PositionsReply, 'process'> {
  return { definition, reach: 'process' };
}
