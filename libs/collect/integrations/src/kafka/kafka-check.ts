import type { Check, CheckSink } from '@tidemark/checks';
import { hash128 } from '@tidemark/model';
import { within } from '../deadline.ts';
import type { IntegrationPorts } from '../ports.ts';
import { type BrokerAddress, bootstrapOf, DEFAULT_KAFKA_INSTANCE, type KafkaInstance } from './kafka-instance.ts';
import { KafkaSession, type KafkaSessionOptions, reasonOf } from './kafka-session.ts';
import {
  type ClusterState,
  type CommittedOffset,
  type KafkaPartition,
  type OffsetsByPartition,
  type PartitionOffsets,
  partitionsWithin,
  reportCluster,
  reportGroups,
  reportPartitions,
} from './kafka-state.ts';

/** The state of a Kafka cluster and the lag of consumer groups, read again in each run. */
export class KafkaCheck implements Check {
  readonly name: string;
  readonly everyMs: number;
  readonly phaseMs: number;
  readonly #instance: KafkaInstance;
  readonly #ports: IntegrationPorts;
  readonly #bootstrap: readonly BrokerAddress[];
  readonly #timeoutMs: number;
  readonly #limit: number;
  readonly #tags: readonly string[];
  #detail: Record<string, string | number> = {};

  /** Throws `invalid_argument` for a malformed broker address. */
  constructor(instance: KafkaInstance, ports: IntegrationPorts) {
    const { intervalMs, timeoutMs, partitions } = { ...DEFAULT_KAFKA_INSTANCE, ...instance };
    this.#instance = instance;
    this.#ports = ports;
    this.#bootstrap = bootstrapOf(instance);
    this.#timeoutMs = Math.min(timeoutMs, intervalMs);
    this.#limit = partitions;
    this.#tags = [`bootstrap_server:${instance.brokers[0]}`, ...(instance.tags ?? [])];
    this.name = `kafka ${instance.brokers[0]}`;
    this.everyMs = intervalMs;
    this.phaseMs = hash128(Buffer.from(this.name)).readUInt32LE(0) % intervalMs;
  }

  async run(sink: CheckSink, signal: AbortSignal): Promise<void> {
    // Loaded here, before the timeout starts: an agent without Kafka checks never loads it.
    const calls = await import('@platformatic/kafka');
    let session: KafkaSession | undefined;
    let hasEnded = false;
    const poll = async (): Promise<void> => {
      const options = await this.#sessionOptions();
      // The run ended while files were read: no later code would close a session opened now.
      if (hasEnded) return;
      session = new KafkaSession(calls, options);
      await this.#poll(session, sink);
    };
    try {
      await within(this.#ports.clock, this.#timeoutMs, signal, poll());
      sink.gauge('kafka.can_connect', 1, this.#tags);
    } catch (error) {
      if (!signal.aborted) sink.gauge('kafka.can_connect', 0, this.#tags);
      throw error;
    } finally {
      hasEnded = true;
      // Not awaited: a broker may delay the close without limit.
      session?.close().catch(() => undefined);
    }
  }

  detail(): Readonly<Record<string, string | number>> {
    return this.#detail;
  }

  async #poll(session: KafkaSession, sink: CheckSink): Promise<void> {
    this.#detail = {};
    const state = await session.cluster(this.#instance.topics ?? []);
    const tags = [...this.#tags, `kafka_cluster_id:${state.id}`];
    reportCluster(state, sink, tags);
    const problems: string[] = [];
    // Committed offsets are read before end offsets, so that they are not above them.
    const committed = await this.#committed(session, problems);
    const partitions = partitionsWithin(state, this.#limit);
    const offsets = await this.#offsets(session, state, partitions, { sink, tags, problems });
    for (const topic of new Set(partitions.map((one) => one.topic))) {
      sink.gauge('kafka.topic.partitions', state.topics.get(topic)?.length ?? 0, [...tags, `topic:${topic}`]);
    }
    reportPartitions(partitions, offsets, sink, tags);
    const over = reportGroups(committed, offsets, this.#limit, sink, tags);
    const all = [...state.topics.values()].reduce((sum, { length }) => sum + length, 0);
    this.#detail = { cluster: state.id, brokers: state.brokers.length, topics: state.topics.size, partitions: all };
    if (all > partitions.length) this.#detail.partitions_over_limit = all - partitions.length;
    if (over > 0) this.#detail.group_offsets_over_limit = over;
    if (problems.length > 0) this.#detail.problems = problems.join('; ').slice(0, 500);
  }

  /** Returns the committed offsets of all groups. A group that fails loses only its own metrics. */
  async #committed(session: KafkaSession, problems: string[]): Promise<CommittedOffset[]> {
    const groups = this.#instance.groups ?? [];
    const answers = await Promise.all(
      groups.map((group) =>
        session.committed(group).catch((error: unknown) => {
          problems.push(`group ${group}: ${reasonOf(error)}`);
          return [];
        }),
      ),
    );
    return answers.flat();
  }

  /**
   * Returns the offsets of partitions that have a leader, and reports which brokers answer: the cluster may still list
   * a broker that has died. A broker that does not answer loses only the offsets of its own partitions.
   */
  async #offsets(
    session: KafkaSession,
    { brokers }: ClusterState,
    partitions: readonly KafkaPartition[],
    { sink, tags, problems }: { sink: CheckSink; tags: readonly string[]; problems: string[] },
  ): Promise<OffsetsByPartition> {
    const offsets = new Map<string, PartitionOffsets>();
    const asked = brokers.map(async (broker) => {
      const led = partitions.filter(({ leader }) => leader === broker);
      let up = 1;
      try {
        for (const [name, found] of await session.offsets(broker, led)) offsets.set(name, found);
      } catch (error) {
        up = 0;
        problems.push(`broker ${broker}: ${reasonOf(error)}`);
      }
      sink.gauge('kafka.broker.up', up, [...tags, `broker_id:${broker}`]);
    });
    await Promise.all(asked);
    return offsets;
  }

  async #sessionOptions(): Promise<KafkaSessionOptions> {
    const { tls = false, caFile = '', sasl } = this.#instance;
    const { readText } = this.#ports;
    // A dead broker may take only a third of the time, so that others are still asked.
    const options = { bootstrap: this.#bootstrap, callMs: Math.max(1, Math.floor(this.#timeoutMs / 3)) };
    const ca = tls && caFile !== '' ? await readText(caFile) : undefined;
    const password = sasl === undefined ? undefined : (await readText(sasl.passwordFile)).trim();
    return {
      ...options,
      ...(tls ? { tls: ca === undefined ? {} : { ca } } : {}),
      ...(sasl === undefined || password === undefined
        ? {}
        : { sasl: { mechanism: sasl.mechanism, username: sasl.user, password } }),
    };
  }
}
