import type { SendRequest } from '@tidemark/contract';
import { BatchFate } from './batch-fate.ts';
import type { EpochRoutes } from './epoch-routes.ts';
import type { RawBatch } from './raw-batch.ts';
import type { SentDefinitions } from './sent-definitions.ts';
import type { SessionStream } from './session-stream.ts';
import type { Place } from './spool-file.ts';

/** Set at a batch's first send and kept. */
export interface Stamp {
  readonly sequence: number;
  readonly epoch: number;
  readonly stampedMs: number;
}

/** One batch of a client session, from its flush until it is settled. */
export class QueuedBatch {
  /** Dense per client session, in the order of the flushes. */
  readonly number: number;
  points: number;
  readonly minTimeMs: number;
  /** What becomes of its points; a batch that moves to another client session keeps it. */
  readonly fate: BatchFate;
  /** Of `KnownSeries`: set when the intake knew all its series when it was cut. */
  knownGroup: object | undefined;
  stamp: Stamp | undefined;
  waitingPlace: Place | undefined;
  stampedPlace: Place | undefined;
  /** True once a send may have been seen by an intake. */
  sent = false;
  /** True once an intake may have stored it at an earlier send. */
  resent = false;
  /** Points that the first send left out of stored shares, and the most that a later one did. */
  leftOut = 0;
  leftOutLater = 0;
  /** Points that sends without an answer may have left out when they stored the others. */
  unsure = 0;
  /** As many as its spool has noted for the next run of the program. */
  unsureNoted = 0;
  /** The stream of the last send, and when that was by the monotonic clock, ms. */
  sentOn: SessionStream | undefined;
  sentMs = 0;
  /** True once the last send is answered. */
  isAnswered = false;
  /** When to send again, by the monotonic clock, ms. */
  dueMs = 0;
  attempts = 0;
  /** True once it is settled or given up: code that still holds it must drop it. */
  gone = false;
  /** How many refs of each partition an intake must have judged before the batch is sent. */
  refs: ReadonlyMap<number, number> = new Map();
  #raw: RawBatch | undefined;
  #request: SendRequest | undefined;
  #memoryBytes = 0;

  constructor(number: number, points: number, minTimeMs: number, fate = new BatchFate(points)) {
    this.fate = fate;
    this.number = number;
    this.points = points;
    this.minTimeMs = minTimeMs;
  }

  get raw(): RawBatch | undefined {
    return this.#raw;
  }

  /** The message with its stamp, the same bytes at every send. */
  get request(): SendRequest | undefined {
    return this.#request;
  }

  /** Bytes that it holds in memory. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** Sets `refs` where its shares are not known: they may use all refs in the tables now. */
  needsAll(tables: EpochRoutes['tables']): void {
    this.refs = new Map([...tables].map(([partition, { length }]) => [partition, length]));
  }

  /** True when the intake of a stream has judged all series that it has points of. */
  isDefined(definitions: SentDefinitions): boolean {
    const epoch = this.stamp?.epoch ?? 0;
    for (const [partition, refs] of this.refs) if (!definitions.isAnswered(epoch, partition, refs)) return false;
    return true;
  }

  holdRaw(raw: RawBatch): void {
    this.#raw = raw;
    this.#memoryBytes = raw.sizeBytes;
  }

  /** Replaces the raw points. */
  holdRequest(request: SendRequest): void {
    this.#raw = undefined;
    this.#request = request;
    this.#memoryBytes = requestBytes(request);
  }

  /** True when its present state is in the spool. */
  get isOnDisk(): boolean {
    return this.stamp === undefined ? this.waitingPlace !== undefined : this.stampedPlace !== undefined;
  }

  /** True when a restart finds it in the spool, in whichever state. */
  get isFound(): boolean {
    return this.waitingPlace !== undefined || this.stampedPlace !== undefined;
  }

  release(): void {
    this.#raw = undefined;
    this.#request = undefined;
    this.#memoryBytes = 0;
  }
}

/** Bytes of a batch's message, to within a few. */
export function requestBytes(request: SendRequest): number {
  if (request.message?.$case !== 'batch') return 0;
  return request.message.value.shares.reduce((sum, share) => sum + share.points.length + 16, 80);
}
