import { type Appended, isTidemarkError, type LogWriter, TidemarkError, type Topic } from '@tidemark/ports';
import { type AttemptParts, attempts } from './attempts.ts';
import type { Leader } from './cluster-view.ts';
import { placeChecksum, valueChecksum } from './envelope.ts';
import { type Failure, failureOf } from './kafka-error.ts';
import type { KafkaLogLimits } from './kafka-options.ts';
import type { PartitionReader } from './partition-reader.ts';
import type { Permits } from './permits.ts';
import { produceById, produceByName } from './produce-call.ts';
import { encodeBatch } from './record-batch.ts';

/** Kafka's sequences have 31 bits, and restart at 0 after the highest. */
const SEQUENCES = 2 ** 31;
/** The broker waits this much less for its replicas than the writer waits for the broker. */
const BROKER_MARGIN_MS = 500;
/**
 * Longest time after which a repeat may still settle an unknown outcome. A broker remembers a producer's last records
 * for a day after the last one (`producer.id.expiration.ms`), and as long as one of them is in the log; a repeat after
 * that might be stored twice.
 */
const SETTLE_MS = 3_600_000;

export interface WriterParts extends AttemptParts {
  readonly limits: KafkaLogLimits;
  readonly inFlight: Permits;
  readonly reader: PartitionReader;
}

/**
 * Kafka's identity of a producer. With it another process continues where this one stopped (`KafkaLog.resumeWriter`).
 */
export interface Producer {
  readonly id: bigint;
  readonly epoch: number;
}

/** The value of a sequence, by length and checksum. */
interface Entry {
  readonly sequence: number;
  readonly checksum: number;
  readonly bytes: number;
}

interface Attempted extends Entry {
  readonly sinceMs: number;
  /** True when an attempt may have been stored, or may still be. */
  mayBeStored: boolean;
}

/**
 * A producer with an id of its own. Sequences are sent to Kafka unchanged: its brokers store each once, answer a repeat
 * with the first offset, and refuse a gap.
 */
export class KafkaWriter implements LogWriter {
  readonly #topic: Topic;
  readonly #partition: number;
  readonly #place: number;
  readonly #name: string;
  readonly producer: Producer;
  readonly #parts: WriterParts;
  /** True while the last record that the producer stored is unknown here. */
  #isResumed: boolean;
  #stored: (Entry & { readonly appended: Appended }) | undefined;
  #attempted: Attempted | undefined;
  #outstanding: Promise<Appended> | undefined;
  #end: TidemarkError | undefined;

  /** Use `KafkaLog.writer`. */
  constructor(topic: Topic, partition: number, producer: Producer, parts: WriterParts, isResumed: boolean) {
    this.#topic = topic;
    this.#partition = partition;
    this.#place = placeChecksum(topic, partition);
    this.#name = `${parts.view.nameOf(topic)}/${partition}`;
    this.producer = producer;
    this.#parts = parts;
    this.#isResumed = isResumed;
  }

  /** Appends a value, as the port says. `value` must not change before the append is settled. */
  async append(sequence: number, value: Uint8Array): Promise<Appended> {
    if (this.#end !== undefined) throw this.#end;
    const entry = { sequence, checksum: valueChecksum(this.#place, value), bytes: value.length };
    const attempted = this.#attempted;
    if (this.#outstanding !== undefined && attempted !== undefined) {
      if (sequence !== attempted.sequence) {
        throw this.#refuse(sequence, `sequence ${attempted.sequence} is still outstanding`);
      }
      if (!isSame(entry, attempted)) throw this.#otherValue(sequence);
      return this.#outstanding;
    }
    const stored = this.#stored;
    if (sequence === stored?.sequence) {
      if (!isSame(entry, stored)) throw this.#otherValue(sequence);
      return stored.appended;
    }
    const expected = stored === undefined ? 0 : stored.sequence + 1;
    if (sequence !== expected && !this.#isResumed) throw this.#refuse(sequence, `sequence ${expected} is expected`);
    if (attempted?.mayBeStored) {
      if (sequence !== attempted.sequence) throw this.#refuse(sequence, `${attempted.sequence} is not settled yet`);
      if (!isSame(entry, attempted)) throw this.#otherValue(sequence);
    }
    this.#checkSize(value);
    const nowMs = this.#parts.clock.monotonicMs();
    if (attempted === undefined || !attempted.mayBeStored) {
      this.#attempted = { ...entry, sinceMs: nowMs, mayBeStored: false };
    } else if (nowMs - attempted.sinceMs > SETTLE_MS) {
      throw this.#ended(
        this.#refuse(
          sequence,
          `its outcome is unknown for more than ${SETTLE_MS / 1000} s, and a repeat might be stored twice`,
        ),
      );
    }
    this.#outstanding = this.#store(entry, value);
    try {
      const appended = await this.#outstanding;
      this.#isResumed = false;
      this.#stored = { ...entry, appended };
      this.#attempted = undefined;
      return appended;
    } finally {
      this.#outstanding = undefined;
    }
  }

  async #store(entry: Entry, value: Uint8Array): Promise<Appended> {
    const { limits, inFlight } = this.#parts;
    const permit = await inFlight.take(Math.max(1, value.length), limits.requestMs).catch((error) => {
      throw this.#settled(error);
    });
    let leader: Leader | undefined;
    try {
      const appended = await attempts(
        this.#parts,
        async () => {
          leader = undefined;
          leader = await this.#parts.view.leader(this.#topic, this.#partition);
          return await this.#send(leader, entry, value);
        },
        (thrown) => this.#understand(thrown, leader),
      );
      if (this.#isResumed) await this.#compare(appended.offset, entry);
      return appended;
    } catch (error) {
      throw this.#settled(error);
    } finally {
      inFlight.give(permit);
    }
  }

  async #send(leader: Leader, entry: Entry, value: Uint8Array): Promise<Appended> {
    const { limits, view, clock } = this.#parts;
    const { producesById } = await leader.link.features();
    const batch = encodeBatch({
      producerId: this.producer.id,
      producerEpoch: this.producer.epoch,
      sequence: entry.sequence % SEQUENCES,
      timestampMs: clock.wallMs(),
      checksum: entry.checksum,
      value,
    });
    const target = { topicId: leader.topicId, topicName: view.nameOf(this.#topic), partition: this.#partition };
    const waitMs = Math.floor(Math.max(limits.requestMs - BROKER_MARGIN_MS, limits.requestMs / 2));
    const call = producesById ? produceById : produceByName;
    const { baseOffset, logAppendTimeMs } = await leader.link.run('append', (connection) =>
      call.async(connection, target, batch, waitMs),
    );
    const appended = { offset: Number(baseOffset), appendTimeMs: Number(logAppendTimeMs) };
    if (appended.appendTimeMs < 0) {
      throw new TidemarkError(
        'failed_precondition',
        `${this.#name} keeps the producers' timestamps: set message.timestamp.type to LogAppendTime`,
        { topic: this.#topic, key: 'message.timestamp.type', found: 'CreateTime', wanted: 'LogAppendTime' },
      );
    }
    // Appended by name, a record may be stored in a new topic of the same name, whose offsets restart at 0.
    if (this.#stored !== undefined && appended.offset <= this.#stored.appended.offset) {
      throw new TidemarkError(
        'failed_precondition',
        `${this.#name} returned offset ${appended.offset} after ${this.#stored.appended.offset}: the topic was recreated, or lost its latest records`,
        { topic: this.#topic, partition: this.#partition, offset: appended.offset },
      );
    }
    return appended;
  }

  /**
   * Throws when another value is stored at `offset`: the broker detects a repeat by its sequence alone, and a resumed
   * writer has no other record of the value.
   */
  async #compare(offset: number, entry: Entry): Promise<void> {
    const [record] = await this.#parts.reader.read(offset, { maxBytes: 1, waitMs: 0 });
    const stored = record?.value;
    const isStored = stored?.length === entry.bytes && valueChecksum(this.#place, stored) === entry.checksum;
    if (!isStored) throw this.#otherValue(entry.sequence);
  }

  #understand(thrown: unknown, leader: Leader | undefined): Failure {
    const at = leader === undefined ? '' : ` at broker ${leader.broker} (${leader.link.name})`;
    const detail = { topic: this.#topic, partition: this.#partition, ...(leader && { broker: leader.broker }) };
    const failure = failureOf(thrown, `append to ${this.#name}${at}`, detail);
    // A refusal is about its own attempt alone: once an attempt may have been stored, that stays possible.
    if (!failure.isNotStored && this.#attempted !== undefined) this.#attempted.mayBeStored = true;
    return failure;
  }

  /** The error for the caller; updates what is known of the sequence. */
  #settled(error: unknown): unknown {
    if (!isTidemarkError(error)) return error;
    const attempted = this.#attempted;
    switch (error.code) {
      case 'failed_precondition':
        return this.#ended(error);
      case 'invalid_argument':
        if (attempted?.mayBeStored) {
          const text = `${error.message}; an earlier attempt may have been stored`;
          return this.#ended(new TidemarkError('failed_precondition', text, error.detail, { cause: error }));
        }
        // Every attempt was refused: the sequence is free.
        this.#attempted = undefined;
        return error;
      case 'resource_exhausted':
        // Only the last attempt is certainly not stored.
        if (!attempted?.mayBeStored) return error;
        return new TidemarkError('unavailable', error.message, error.detail, { cause: error });
      default:
        return error;
    }
  }

  #ended(error: TidemarkError): TidemarkError {
    this.#end = error;
    return error;
  }

  #checkSize(value: Uint8Array): void {
    const { recordBytes } = this.#parts.limits;
    if (value.length <= recordBytes) return;
    throw new TidemarkError(
      'invalid_argument',
      `a record of ${value.length} bytes for ${this.#name} is too large (limit: recordBytes, ${recordBytes} bytes)`,
      { field: 'value', limit: recordBytes, topic: this.#topic, partition: this.#partition },
    );
  }

  #otherValue(sequence: number): TidemarkError {
    return this.#refuse(sequence, 'another value has that sequence');
  }

  #refuse(sequence: number, why: string): TidemarkError {
    return new TidemarkError('failed_precondition', `sequence ${sequence} to ${this.#name} is refused: ${why}`, {
      topic: this.#topic,
      partition: this.#partition,
      sequence,
    });
  }
}

function isSame(a: Entry, b: Entry): boolean {
  return a.checksum === b.checksum && a.bytes === b.bytes;
}
