import { fetchV17, listOffsetsV7, type RecordsBatch } from '@platformatic/kafka';
import {
  type ErrorDetail,
  isTidemarkError,
  type LogBounds,
  type LogRecord,
  limitError,
  type ReadOptions,
  TidemarkError,
  type Topic,
} from '@tidemark/ports';
import { type AttemptParts, attempts } from './attempts.ts';
import type { Leader } from './cluster-view.ts';
import { openEnvelope, placeChecksum, recordLoss } from './envelope.ts';
import { type Failure, failureOf } from './kafka-error.ts';
import type { KafkaLogLimits } from './kafka-options.ts';

const EARLIEST = -2n;
const LATEST = -1n;
/** The replica id that consumers send. */
const CONSUMER = -1;
const UNCOMMITTED = 0;
const NO_SESSION = 0;
const NO_SESSION_EPOCH = -1;
const CONTROL_BATCH = 0x20;
const LOG_APPEND_TIME = 0x08;

export interface ReaderParts extends AttemptParts {
  readonly limits: KafkaLogLimits;
}

/** Reads one partition from its leader, one fetch at a time, without sessions and without any reset of an offset. */
export class PartitionReader {
  readonly #topic: Topic;
  readonly #partition: number;
  readonly #place: number;
  readonly #name: string;
  readonly #parts: ReaderParts;

  constructor(topic: Topic, partition: number, parts: ReaderParts) {
    this.#topic = topic;
    this.#partition = partition;
    this.#place = placeChecksum(topic, partition);
    this.#name = `${parts.view.nameOf(topic)}/${partition}`;
    this.#parts = parts;
  }

  async read(from: number, options: ReadOptions): Promise<LogRecord[]> {
    if (!Number.isSafeInteger(from) || from < 0) {
      throw limitError('from', String(from), 'an integer from 0');
    }
    const { clock, limits } = this.#parts;
    const untilMs = clock.monotonicMs() + options.waitMs;
    for (;;) {
      const leftMs = Math.max(0, untilMs - clock.monotonicMs());
      const waitMs = options.signal?.aborted ? 0 : Math.min(leftMs, limits.readWaitMs);
      const records = await this.#readOnce(from, options, Math.floor(waitMs));
      if (records.length > 0 || options.signal?.aborted || clock.monotonicMs() >= untilMs) return records;
    }
  }

  async bounds(): Promise<LogBounds> {
    return this.#ask('read the offsets of', async (leader) => {
      const [first, next] = await Promise.all([this.#offset(leader, EARLIEST), this.#offset(leader, LATEST)]);
      return { first, next, id: leader.topicId };
    });
  }

  async #readOnce(from: number, options: ReadOptions, waitMs: number): Promise<LogRecord[]> {
    let isConfirmed = false;
    for (;;) {
      try {
        return await this.#fetchWhole(from, options, waitMs);
      } catch (error) {
        if (!(error instanceof TidemarkError) || error.code !== 'out_of_range') throw error;
        // A former leader that has not yet learned of its successor may lack the latest records: ask the new one.
        this.#parts.view.expire();
        const { first, next } = await this.bounds();
        const isThere = from >= first && from <= next;
        if (isConfirmed || !isThere) throw this.#outOfRange(from, first, next, error);
        isConfirmed = true;
      }
    }
  }

  /** Repeats a fetch whose answer cannot be decoded with smaller sizes, so that the good records of it are returned. */
  async #fetchWhole(from: number, options: ReadOptions, waitMs: number): Promise<LogRecord[]> {
    const maxBytes = Math.max(1, Math.min(options.maxBytes, this.#parts.limits.readBytes));
    const batches = await this.#fetch(from, maxBytes, waitMs, options.signal);
    if (batches !== 'undecodable') return this.#pick(batches, from, options.maxBytes);
    const one = maxBytes === 1 ? batches : await this.#fetch(from, 1, 0, options.signal);
    if (one !== 'undecodable') return this.#pick(one, from, options.maxBytes);
    throw recordLoss(this.#topic, this.#partition, from, 'its batch cannot be decoded');
  }

  #fetch(
    from: number,
    maxBytes: number,
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly RecordsBatch[] | 'undecodable'> {
    const fetched = this.#ask(
      'read',
      async (leader) => {
        try {
          const answer = await leader.link.run('read', (connection) => {
            // The fetch may have waited for a connection: the caller no longer waits for the answer.
            if (signal?.aborted) return Promise.resolve(undefined);
            return fetchV17.api.async(
              connection,
              waitMs,
              1,
              maxBytes,
              UNCOMMITTED,
              NO_SESSION,
              NO_SESSION_EPOCH,
              [{ topicId: leader.topicId, partitions: [this.#question(leader, from, maxBytes)] }],
              [],
              '',
            );
          });
          return answer === undefined ? [] : batchesOf(answer);
        } catch (error) {
          if (isUndecodable(error)) return 'undecodable';
          throw error;
        }
      },
      signal,
    );
    return signal === undefined ? fetched : untilAborted(fetched, signal);
  }

  #question(leader: Leader, from: number, maxBytes: number) {
    return {
      partition: this.#partition,
      // A follower would answer as well, unless the request has the epoch in which another broker leads.
      currentLeaderEpoch: leader.epoch,
      fetchOffset: BigInt(from),
      lastFetchedEpoch: -1,
      partitionMaxBytes: maxBytes,
    };
  }

  /** The records from `from` on, dense, up to `maxBytes` of values; a bad record is thrown once it is the first. */
  #pick(batches: readonly RecordsBatch[], from: number, maxBytes: number): LogRecord[] {
    const records: LogRecord[] = [];
    let next = from;
    let bytes = 0;
    for (const batch of batches) {
      const base = Number(batch.firstOffset);
      const end = base + batch.lastOffsetDelta + 1;
      if (end <= from) continue;
      const stored = (batch.attributes & CONTROL_BATCH) === 0 ? batch.records : [];
      for (const record of stored) {
        const offset = base + record.offsetDelta;
        if (offset < from) continue;
        const value = openEnvelope(this.#place, record.value);
        const problem = offset === next ? value : 'it is missing';
        if (typeof problem === 'string' || typeof value === 'string') {
          if (records.length > 0) return records;
          throw recordLoss(this.#topic, this.#partition, next, String(problem));
        }
        if (records.length > 0 && bytes + value.length > maxBytes) return records;
        records.push({ offset, appendTimeMs: timeOf(batch, record.timestampDelta), value });
        bytes += value.length;
        next = offset + 1;
      }
      if (next < end) {
        if (records.length > 0) return records;
        const why = stored.length === 0 ? "it is a marker of another program's transaction" : 'it is missing';
        throw recordLoss(this.#topic, this.#partition, next, why);
      }
    }
    return records;
  }

  async #offset(leader: Leader, timestamp: bigint): Promise<number> {
    const partition = { partitionIndex: this.#partition, currentLeaderEpoch: leader.epoch, timestamp };
    const topics = [{ name: this.#parts.view.nameOf(this.#topic), partitions: [partition] }];
    const answer = await leader.link.run('ask', (connection) =>
      listOffsetsV7.api.async(connection, CONSUMER, UNCOMMITTED, topics),
    );
    return Number(answer.topics[0].partitions[0].offset);
  }

  #ask<T>(what: string, once: (leader: Leader) => Promise<T>, signal?: AbortSignal): Promise<T> {
    let leader: Leader | undefined;
    return attempts(
      this.#parts,
      async () => {
        leader = undefined;
        leader = await this.#parts.view.leader(this.#topic, this.#partition);
        await leader.link.features();
        return await once(leader);
      },
      (thrown) => this.#understand(thrown, what, leader),
      signal,
    );
  }

  #understand(thrown: unknown, what: string, leader: Leader | undefined): Failure {
    const at = leader === undefined ? '' : ` at broker ${leader.broker} (${leader.link.name})`;
    const detail = { topic: this.#topic, partition: this.#partition, ...(leader && { broker: leader.broker }) };
    const failure = failureOf(thrown, `${what} ${this.#name}${at}`, detail);
    if (failure.error.code !== 'failed_precondition' || !('topicId' in failure.error.detail)) return failure;
    // The whole topic that the reader would continue with is gone; there is no record to skip.
    const { message, detail: found } = failure.error;
    return { ...failure, error: new TidemarkError('data_loss', message, found, { cause: failure.error }) };
  }

  #outOfRange(from: number, first: number, next: number, cause: TidemarkError): TidemarkError {
    const where =
      from < first
        ? `was trimmed: the log begins at ${first}`
        : `is beyond the end of the log: the next offset is ${next}`;
    const detail: ErrorDetail = { topic: this.#topic, partition: this.#partition, offset: from, first, next };
    return new TidemarkError('out_of_range', `offset ${from} of ${this.#name} ${where}`, detail, { cause });
  }
}

function batchesOf(answer: Awaited<ReturnType<typeof fetchV17.api.async>>): readonly RecordsBatch[] {
  return answer.responses[0]?.partitions[0]?.records ?? [];
}

/** Append time of a record: that of its batch when the broker stamped the batch. */
function timeOf(batch: RecordsBatch, timestampDelta: bigint): number {
  const isStamped = (batch.attributes & LOG_APPEND_TIME) !== 0;
  return Number(isStamped ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta);
}

/** True when the client could not decode the bytes; its other errors, and those of brokers, have codes. */
function isUndecodable(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || isTidemarkError(error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  if (/OUT_OF_BOUNDS|UNSUPPORTED_COMPRESSION|UNSUPPORTED_FORMAT/.test(code)) return true;
  const name = 'name' in error ? String(error.name) : '';
  return !code.startsWith('PLT_KFK') && (/^(Range|Type)Error/.test(name) || /^Z_|^ERR_/.test(code));
}

/** The answer, or no records once the signal aborts: the request ends later, by itself. */
function untilAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T | []> {
  if (signal.aborted) {
    answer.catch(() => undefined);
    return Promise.resolve([]);
  }
  return new Promise((resolve, reject) => {
    const abort = (): void => resolve([]);
    signal.addEventListener('abort', abort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
