import { deleteRecordsV2, initProducerIdV5 } from '@platformatic/kafka';
import {
  type Clock,
  type Log,
  type LogBounds,
  type LogRecord,
  type Random,
  type ReadOptions,
  TidemarkError,
  type Topic,
} from '@tidemark/ports';
import { type AttemptParts, attempts } from './attempts.ts';
import { ClusterView, type Leader } from './cluster-view.ts';
import { failureOf } from './kafka-error.ts';
import { DEFAULT_KAFKA_LOG_LIMITS, type KafkaLogLimits, type KafkaLogOptions } from './kafka-options.ts';
import { KafkaWriter, type Producer } from './kafka-writer.ts';
import { PartitionReader } from './partition-reader.ts';
import { Permits } from './permits.ts';

export interface KafkaLogParts {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Opens the log of a Kafka cluster: connects to a broker, and checks that it is new enough. Topics are looked up when
 * they are used; `prepareTopics` creates them and `checkTopics` reports what is wrong with them. Errors: `unavailable`
 * when no broker answers, `unauthenticated`, `permission_denied`, `failed_precondition` (too old, TLS); the message
 * names the broker and says what to do.
 */
export async function openKafkaLog(options: KafkaLogOptions, parts: KafkaLogParts): Promise<KafkaLog> {
  const log = kafkaLog(options, parts);
  try {
    await log.reach();
    return log;
  } catch (error) {
    await log.close();
    throw error;
  }
}

/**
 * Makes the log of a Kafka cluster without connecting before it is used: for callers that retry. Errors:
 * `invalid_argument` for malformed addresses.
 */
export function kafkaLog(options: KafkaLogOptions, { clock, random }: KafkaLogParts): KafkaLog {
  const limits = { ...DEFAULT_KAFKA_LOG_LIMITS, ...options.limits };
  return new KafkaLog(new ClusterView(options, limits, clock, random), limits, clock);
}

/** The log port over Kafka: one Kafka partition for each partition, one record batch for each record. */
export class KafkaLog implements Log {
  readonly #view: ClusterView;
  readonly #limits: KafkaLogLimits;
  readonly #attempt: AttemptParts;
  readonly #inFlight: Permits;
  readonly #readers = new Map<string, PartitionReader>();
  #isClosed = false;

  /** Use `openKafkaLog` or `kafkaLog`. */
  constructor(view: ClusterView, limits: KafkaLogLimits, clock: Clock) {
    this.#view = view;
    this.#limits = limits;
    this.#attempt = { view, clock, retryMs: limits.retryMs };
    this.#inFlight = new Permits('inFlightBytes', limits.inFlightBytes, limits.waitingRequests, clock);
  }

  /** Connects to the cluster and checks its version. Errors as of `openKafkaLog`. */
  async reach(): Promise<void> {
    await attempts(
      this.#attempt,
      () => this.#view.refresh(),
      (thrown) => failureOf(thrown, 'connect to Kafka'),
    );
  }

  /** The number of partitions that a topic has now; 0 when it does not exist. */
  async partitions(topic: Topic): Promise<number> {
    this.#checkOpen();
    this.#view.expire();
    const found = await attempts(
      this.#attempt,
      () => this.#view.topic(topic),
      (thrown) => failureOf(thrown, `find ${this.#view.nameOf(topic)}`, { topic }),
    );
    return found?.partitions.length ?? 0;
  }

  async writer(topic: Topic, partition: number): Promise<KafkaWriter> {
    const producer = await this.#atLeader(
      'create a producer for',
      topic,
      partition,
      async (leader): Promise<Producer> => {
        const { producerId, producerEpoch } = await leader.link.run('ask', (connection) =>
          initProducerIdV5.api.async(connection, null, this.#limits.requestMs, -1n, -1),
        );
        return { id: producerId, epoch: producerEpoch };
      },
    );
    return this.#writer(topic, partition, producer, false);
  }

  /** The writer of a producer that exists already. Its first append may repeat one of the last five, or follow them. */
  async resumeWriter(topic: Topic, partition: number, producer: Producer): Promise<KafkaWriter> {
    await this.#atLeader('find', topic, partition, async () => undefined);
    return this.#writer(topic, partition, producer, true);
  }

  async read(topic: Topic, partition: number, from: number, options: ReadOptions): Promise<LogRecord[]> {
    this.#checkOpen();
    return this.#reader(topic, partition).read(from, options);
  }

  async bounds(topic: Topic, partition: number): Promise<LogBounds> {
    this.#checkOpen();
    return this.#reader(topic, partition).bounds();
  }

  async trim(topic: Topic, partition: number, before: number): Promise<void> {
    // Kafka trims by the topic's name, and offsets are requested by it, so the known id must be fresh. Otherwise a
    // topic that was recreated would lose records that no consumer has read.
    this.#view.expire();
    const { first, next } = await this.bounds(topic, partition);
    const target = Math.min(before, next);
    if (target <= first) return;
    try {
      await this.#atLeader('trim', topic, partition, (leader) => {
        const partitions = [{ partitionIndex: partition, offset: BigInt(target) }];
        const topics = [{ name: this.#view.nameOf(topic), partitions }];
        return leader.link.run('admin', (connection) =>
          deleteRecordsV2.api.async(connection, topics, this.#limits.requestMs),
        );
      });
    } catch (error) {
      // The answer waits for all replicas, and may be late although the leader has trimmed.
      if ((await this.bounds(topic, partition)).first < target) throw error;
    }
  }

  /** Closes all connections; outstanding calls end with an error. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#view.close();
  }

  #writer(topic: Topic, partition: number, producer: Producer, isResumed: boolean): KafkaWriter {
    const reader = this.#reader(topic, partition);
    const parts = { ...this.#attempt, limits: this.#limits, inFlight: this.#inFlight, reader };
    return new KafkaWriter(topic, partition, producer, parts, isResumed);
  }

  #reader(topic: Topic, partition: number): PartitionReader {
    const key = `${topic}/${partition}`;
    let reader = this.#readers.get(key);
    if (reader === undefined) {
      reader = new PartitionReader(topic, partition, { ...this.#attempt, limits: this.#limits });
      this.#readers.set(key, reader);
    }
    return reader;
  }

  async #atLeader<T>(what: string, topic: Topic, partition: number, once: (leader: Leader) => Promise<T>): Promise<T> {
    this.#checkOpen();
    let leader: Leader | undefined;
    return attempts(
      this.#attempt,
      async () => {
        leader = undefined;
        leader = await this.#view.leader(topic, partition);
        await leader.link.features();
        return await once(leader);
      },
      (thrown) => {
        const at = leader === undefined ? '' : ` at broker ${leader.broker} (${leader.link.name})`;
        return failureOf(thrown, `${what} ${this.#view.nameOf(topic)}/${partition}${at}`, { topic, partition });
      },
    );
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new TidemarkError('unavailable', 'the log is closed');
  }
}
