import { ConfigResourceTypes, createTopicsV7, describeConfigsV4, listOffsetsV7 } from '@platformatic/kafka';
import {
  assert,
  type Clock,
  isTidemarkError,
  messageOf,
  type Random,
  sleep,
  TidemarkError,
  type Topic,
} from '@tidemark/ports';
import { type AttemptParts, attempts } from './attempts.ts';
import type { BrokerLink } from './broker-link.ts';
import { ClusterView, type TopicView } from './cluster-view.ts';
import { failureOf, kafkaErrorOf } from './kafka-error.ts';
import { DEFAULT_KAFKA_LOG_LIMITS, type KafkaLogLimits, type KafkaLogOptions, TOPICS } from './kafka-options.ts';
import {
  DEFAULT_MIN_IN_SYNC,
  DEFAULT_REPLICATION,
  problemText,
  type TopicPlan,
  type TopicProblem,
  wantedSettings,
} from './topic-plan.ts';

/** Time in which each partition of a new topic must get a leader that serves it. */
const READY_MS = 60_000;
const POLL_MS = 50;

/**
 * Creates the missing topics, waits until all partitions have leaders, and checks all topics. Existing topics
 * are never changed. Errors: those of `topicProblems` and `refuseTopics`; `failed_precondition` when the cluster cannot
 * have them (fewer brokers than `replication`).
 */
export async function prepareTopics(
  options: KafkaLogOptions,
  plan: TopicPlan,
  parts: { readonly clock: Clock; readonly random: Random },
): Promise<void> {
  checkPlan(plan);
  await withCluster(options, parts, async (cluster) => {
    const missing: Topic[] = [];
    for (const topic of wantedTopics(plan)) {
      if ((await cluster.topic(topic)) === undefined) missing.push(topic);
    }
    for (const topic of missing) await cluster.create(topic, plan);
    if (missing.length > 0) await cluster.waitUntilServed(missing);
    refuseTopics(await cluster.problems(plan));
  });
}

/**
 * Compares the topics of the brokers with the plan, and returns the problems. Errors: `failed_precondition`
 * when the plan itself is refused, `unavailable` when no broker answers, `permission_denied`.
 */
export async function topicProblems(
  options: KafkaLogOptions,
  plan: TopicPlan,
  parts: { readonly clock: Clock; readonly random: Random },
): Promise<readonly TopicProblem[]> {
  checkPlan(plan);
  return withCluster(options, parts, (cluster) => cluster.problems(plan));
}

function checkPlan({
  replication = DEFAULT_REPLICATION,
  minInSync = DEFAULT_MIN_IN_SYNC,
  allowsSingleCopy,
}: TopicPlan) {
  if (minInSync < 2 && !allowsSingleCopy) {
    throw new TidemarkError(
      'failed_precondition',
      `min.insync.replicas: ${minInSync} (limit: at least 2, with 3 replicas): a record would be acknowledged while only one disk has it, and be lost with that disk; a development cluster of one broker must allow single copies explicitly`,
      { key: 'min.insync.replicas', found: String(minInSync), wanted: '2' },
    );
  }
  if (minInSync > replication) {
    throw new TidemarkError(
      'failed_precondition',
      `min.insync.replicas: ${minInSync} (limit: the number of replicas, ${replication}): no append could ever be acknowledged`,
      { key: 'min.insync.replicas', found: String(minInSync), wanted: `at most ${replication}` },
    );
  }
}

/**
 * Throws `failed_precondition` when there are problems. The message names all of them; the detail has topic, key, found
 * and wanted of the first.
 */
export function refuseTopics(problems: readonly TopicProblem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const { topic, key, found, wanted } = first;
  throw new TidemarkError(
    'failed_precondition',
    `the topics do not meet the requirements:\n${problems.map((problem) => `  ${problemText(problem)}`).join('\n')}`,
    { topic, key, found, wanted },
  );
}

function wantedTopics(plan: TopicPlan): Topic[] {
  return TOPICS.filter((topic) => (plan.partitions[topic] ?? 0) > 0);
}

async function withCluster<T>(
  options: KafkaLogOptions,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  work: (cluster: TopicAdmin) => Promise<T>,
): Promise<T> {
  const limits = { ...DEFAULT_KAFKA_LOG_LIMITS, ...options.limits };
  const view = new ClusterView(options, limits, clock, random);
  try {
    return await work(new TopicAdmin(view, limits, clock));
  } finally {
    await view.close();
  }
}

/**
 * Sends requests to any broker: in Kafka without ZooKeeper each forwards to the controller what the controller handles.
 */
class TopicAdmin {
  readonly #view: ClusterView;
  readonly #limits: KafkaLogLimits;
  readonly #clock: Clock;
  readonly #attempt: AttemptParts;

  constructor(view: ClusterView, limits: KafkaLogLimits, clock: Clock) {
    this.#view = view;
    this.#limits = limits;
    this.#clock = clock;
    this.#attempt = { view, clock, retryMs: limits.retryMs };
  }

  topic(topic: Topic): Promise<TopicView | undefined> {
    return attempts(
      this.#attempt,
      () => this.#view.topic(topic),
      (thrown) => failureOf(thrown, `find ${this.#view.nameOf(topic)}`, { topic }),
    );
  }

  async create(topic: Topic, plan: TopicPlan): Promise<void> {
    const numPartitions = plan.partitions[topic];
    assert(numPartitions !== undefined, 'a topic of the plan');
    const request = {
      name: this.#view.nameOf(topic),
      numPartitions,
      replicationFactor: plan.replication ?? DEFAULT_REPLICATION,
      assignments: [],
      configs: wantedSettings(plan).map(({ key, value }) => ({ name: key, value })),
    };
    try {
      await this.#ask(`create the topic ${request.name}`, (link) =>
        link.run('admin', (connection) =>
          createTopicsV7.api.async(connection, [request], this.#limits.requestMs, false),
        ),
      );
    } catch (error) {
      const kafkaError = isTidemarkError(error) ? kafkaErrorOf(error.cause) : undefined;
      if (kafkaError === 'TOPIC_ALREADY_EXISTS') return;
      if (kafkaError !== 'INVALID_REPLICATION_FACTOR' || !isTidemarkError(error)) throw error;
      const text = `${request.name}: replication factor ${request.replicationFactor} (limit: the number of brokers, ${this.#view.brokers}): add brokers`;
      const detail = { topic: request.name, key: 'replication', found: this.#view.brokers };
      throw new TidemarkError(
        'failed_precondition',
        text,
        { ...detail, wanted: request.replicationFactor },
        { cause: error },
      );
    }
  }

  /** Waits until every partition has a leader that answers for it. */
  async waitUntilServed(topics: readonly Topic[]): Promise<void> {
    const deadlineMs = this.#clock.monotonicMs() + READY_MS;
    for (const topic of topics) {
      for (;;) {
        const why = await this.#notServed(topic);
        if (why === '') break;
        if (this.#clock.monotonicMs() > deadlineMs) {
          throw new TidemarkError(
            'deadline_exceeded',
            `the new topic ${this.#view.nameOf(topic)} is not ready after ${READY_MS / 1000} s: ${why}`,
          );
        }
        await sleep(this.#clock, POLL_MS);
      }
    }
  }

  async #notServed(topic: Topic): Promise<string> {
    this.#view.expire();
    try {
      const found = await this.#view.topic(topic);
      if (found === undefined) return 'the brokers have not yet learned of it';
      await Promise.all(found.partitions.map((_, partition) => this.#isServed(topic, partition)));
      return '';
    } catch (error) {
      return messageOf(error);
    }
  }

  async #isServed(topic: Topic, partition: number): Promise<void> {
    const leader = await this.#view.leader(topic, partition);
    const asked = { partitionIndex: partition, currentLeaderEpoch: leader.epoch, timestamp: -1n };
    const topics = [{ name: this.#view.nameOf(topic), partitions: [asked] }];
    await leader.link.run('ask', (connection) => listOffsetsV7.api.async(connection, -1, 0, topics));
  }

  async problems(plan: TopicPlan): Promise<readonly TopicProblem[]> {
    const problems: TopicProblem[] = [];
    for (const topic of wantedTopics(plan)) {
      const found = await this.topic(topic);
      if (found === undefined) {
        const name = this.#view.nameOf(topic);
        problems.push({
          topic: name,
          key: 'topic',
          found: 'missing',
          wanted: 'a topic',
          why: 'no record can be stored; create the topic',
        });
        continue;
      }
      problems.push(...this.#shape(topic, found, plan), ...(await this.#settings(topic, plan)));
    }
    return problems;
  }

  #shape(topic: Topic, found: TopicView, plan: TopicPlan): TopicProblem[] {
    const problems: TopicProblem[] = [];
    const name = this.#view.nameOf(topic);
    const wanted = plan.partitions[topic] ?? 0;
    const replication = plan.replication ?? DEFAULT_REPLICATION;
    if (found.partitions.length < wanted) {
      problems.push({
        topic: name,
        key: 'partitions',
        found: String(found.partitions.length),
        wanted: `at least ${wanted}`,
        why: 'the partition map refers to partitions that do not exist; add them with your Kafka tools',
      });
    }
    const copies = Math.min(...found.partitions.map(({ replicas }) => replicas.length));
    if (copies < replication) {
      const at = found.partitions.findIndex(({ replicas }) => replicas.length === copies);
      problems.push({
        topic: name,
        key: 'replication',
        found: `${copies} (partition ${at})`,
        wanted: `at least ${replication}`,
        why: 'a partition must survive the loss of a broker; add replicas with your Kafka tools',
      });
    }
    return problems;
  }

  async #settings(topic: Topic, plan: TopicPlan): Promise<TopicProblem[]> {
    const name = this.#view.nameOf(topic);
    const wanted = wantedSettings(plan);
    const resource = {
      resourceType: ConfigResourceTypes.TOPIC,
      resourceName: name,
      configurationKeys: wanted.map(({ key }) => key),
    };
    const answer = await this.#ask(`read the settings of ${name}`, (link) =>
      link.run('admin', (connection) => describeConfigsV4.api.async(connection, [resource], false, false)),
    );
    const found = new Map(answer.results[0]?.configs.map((config) => [config.name, config.value]));
    return wanted.flatMap(({ key, value, isGood, why }) => {
      const has = found.get(key);
      if (typeof has === 'string' && isGood(has)) return [];
      return [{ topic: name, key, found: has ?? 'not reported', wanted: value, why }];
    });
  }

  #ask<T>(what: string, request: (link: BrokerLink) => Promise<T>): Promise<T> {
    return attempts(
      this.#attempt,
      async () => request(await this.#view.anyBroker()),
      (thrown) => failureOf(thrown, what),
    );
  }
}
