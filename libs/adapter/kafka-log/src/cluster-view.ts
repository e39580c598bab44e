import { metadataV12 } from '@platformatic/kafka';
import { type Clock, limitError, type Random, sleep, TidemarkError, type Topic } from '@tidemark/ports';
import { type Address, BrokerLink } from './broker-link.ts';
import { answerOf, type Failure, failureOf, kafkaErrorOf, withOutlook } from './kafka-error.ts';
import { type KafkaLogLimits, type KafkaLogOptions, TOPICS } from './kafka-options.ts';

/** The leader of a partition, as of an epoch of its leadership. */
export interface Leader {
  readonly link: BrokerLink;
  readonly broker: number;
  readonly epoch: number;
  readonly topicId: string;
}

export interface PartitionView {
  readonly leader: number;
  readonly epoch: number;
  readonly replicas: readonly number[];
}

export interface TopicView {
  readonly id: string;
  readonly partitions: readonly PartitionView[];
}

type MetadataResponse = Awaited<ReturnType<typeof metadataV12.api.async>>;

/** A refresh that got no answer from a broker within this time asks another one as well. */
const HEDGE_MS = 500;
/** Pause between two refreshes. */
const REST_MS = 50;
const TOPIC_AUTHORIZATION_FAILED = 29;
/** Outlook of errors that the next refresh may resolve, and that happen before anything was sent to a leader. */
const PASSING = { isPassing: true, isStale: true, isNotStored: true };

/** The known state of the cluster: its brokers, the topics and their leaders. It is refreshed after `expire`. */
export class ClusterView {
  readonly #options: KafkaLogOptions;
  readonly #limits: KafkaLogLimits;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #bootstrap: readonly Address[];
  readonly #links = new Map<string, BrokerLink>();
  readonly #brokers = new Map<number, Address>();
  readonly #topics = new Map<Topic, TopicView>();
  /** The id that each topic had when it was first seen: a topic with another id is another log. */
  readonly #ids = new Map<Topic, string>();
  readonly #denied = new Set<Topic>();
  #clusterId: string | undefined;
  #isStale = true;
  #refreshing: Promise<void> | undefined;
  #lastRefreshMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(options: KafkaLogOptions, limits: KafkaLogLimits, clock: Clock, random: Random) {
    this.#options = options;
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
    this.#bootstrap = options.brokers.map(parseAddress);
    if (this.#bootstrap.length === 0) throw limitError('brokers', 'the list is empty', 'at least 1 address host:port');
    for (const topic of TOPICS) {
      const id = options.topicIds?.[topic];
      if (id !== undefined) this.#ids.set(topic, id);
    }
  }

  /** The topic's name in Kafka. */
  nameOf(topic: Topic): string {
    return `${this.#options.topicPrefix}${topic}`;
  }

  /** Brokers in the cluster's latest answer. */
  get brokers(): number {
    return this.#brokers.size;
  }

  /** Marks the known state as stale: the next use refreshes it. */
  expire(): void {
    this.#isStale = true;
  }

  /**
   * Asks brokers for the state of the cluster if the known one is stale. Errors: those of the brokers, when none
   * answers.
   */
  async refresh(): Promise<void> {
    if (!this.#isStale) return;
    this.#refreshing ??= this.#requestMetadata().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  /**
   * A topic's latest known state; undefined when the cluster has none. Errors: `permission_denied`, those of `refresh`.
   */
  async topic(topic: Topic): Promise<TopicView | undefined> {
    await this.refresh();
    this.#checkRight(topic);
    return this.#topics.get(topic);
  }

  /**
   * The leader of a partition. Errors: `not_found`, `unavailable` when there is no leader, `failed_precondition` when
   * the topic was deleted and recreated; those of `refresh`.
   */
  async leader(topic: Topic, partition: number): Promise<Leader> {
    await this.refresh();
    this.#checkRight(topic);
    const view = this.#topics.get(topic);
    const where = `${this.nameOf(topic)}/${partition}`;
    const detail = { topic, partition };
    if (view === undefined) {
      const text = `the cluster has no topic ${this.nameOf(topic)}`;
      throw withOutlook(new TidemarkError('not_found', text, detail), PASSING);
    }
    const pinned = this.#ids.get(topic);
    if (pinned !== view.id) {
      throw new TidemarkError(
        'failed_precondition',
        `the topic ${this.nameOf(topic)} was deleted and recreated: its id is ${view.id}, expected ${pinned}`,
        { topic, partition, topicId: view.id, expected: pinned ?? '' },
      );
    }
    const found = view.partitions[partition];
    if (found === undefined) {
      const text = `${where} does not exist: the topic has ${view.partitions.length} partitions`;
      const error = new TidemarkError('not_found', text, { ...detail, partitions: view.partitions.length });
      throw withOutlook(error, { ...PASSING, isPassing: false });
    }
    const address = this.#brokers.get(found.leader);
    if (address === undefined) {
      const text = `${where} has no leader at the moment: none of its replicas (brokers ${found.replicas.join(', ')}) can lead`;
      throw withOutlook(new TidemarkError('unavailable', text, detail), PASSING);
    }
    return { link: this.#link(address), broker: found.leader, epoch: found.epoch, topicId: view.id };
  }

  #checkRight(topic: Topic): void {
    if (!this.#denied.has(topic)) return;
    const text = `this user has no right to the topic ${this.nameOf(topic)}: grant it Read, Write and Describe`;
    throw withOutlook(new TidemarkError('permission_denied', text, { topic }), { ...PASSING, isPassing: false });
  }

  /** A link to any broker of the cluster. */
  async anyBroker(): Promise<BrokerLink> {
    await this.refresh();
    return this.#candidates()[0];
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  /**
   * Links to all brokers: those that the cluster reported, then the configured addresses; each group in random order.
   */
  #candidates(): BrokerLink[] {
    const known = shuffled([...this.#brokers.values()], this.#random);
    const given = shuffled([...this.#bootstrap], this.#random);
    return [...new Set([...known, ...given].map((address) => this.#link(address)))];
  }

  #link(address: Address): BrokerLink {
    const key = `${address.host}:${address.port}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = new BrokerLink(address, this.#options, this.#limits, this.#clock);
      this.#links.set(key, link);
    }
    return link;
  }

  async #requestMetadata(): Promise<void> {
    const restMs = this.#lastRefreshMs + REST_MS - this.#clock.monotonicMs();
    if (restMs > 0) await sleep(this.#clock, restMs);
    if (this.#isClosed) throw new TidemarkError('unavailable', 'the log is closed');
    // An `expire` from here on requires another refresh.
    this.#isStale = false;
    try {
      this.#take(await this.#firstAnswer(this.#candidates()));
    } catch (error) {
      this.#isStale = true;
      throw error;
    } finally {
      this.#lastRefreshMs = this.#clock.monotonicMs();
    }
  }

  /** Asks the brokers in turn, the next one when the one before fails or takes long, until one answers. */
  #firstAnswer(links: readonly BrokerLink[]): Promise<MetadataResponse> {
    return new Promise((resolve, reject) => {
      const failures: Failure[] = [];
      let asked = 0;
      const askNext = (): void => {
        const link = links[asked];
        if (link === undefined) return;
        asked++;
        const timer = this.#clock.setTimer(HEDGE_MS, askNext);
        this.#ask(link)
          .then(resolve, (error) => {
            failures.push(failureOf(error, `request metadata from the broker at ${link.name}`, { broker: link.name }));
            if (failures.length === links.length) reject(noAnswer(failures));
            else askNext();
          })
          .finally(() => timer.cancel());
      };
      askNext();
    });
  }

  async #ask(link: BrokerLink): Promise<MetadataResponse> {
    await link.features();
    const answer = await this.#metadata(link);
    this.#clusterId ??= answer.clusterId ?? undefined;
    if (this.#clusterId !== (answer.clusterId ?? undefined)) {
      const text = `the broker at ${link.name} is of another cluster: its id is ${answer.clusterId}, expected ${this.#clusterId}`;
      throw new TidemarkError('failed_precondition', text, { broker: link.name });
    }
    return answer;
  }

  #metadata(link: BrokerLink): Promise<MetadataResponse> {
    return link.run('ask', async (connection) => {
      try {
        return await metadataV12.api.async(
          connection,
          TOPICS.map((topic) => ({ name: this.nameOf(topic) })),
          false,
        );
      } catch (error) {
        // The client throws when anything in an answer has an error: a topic that does not exist, a missing leader.
        const answer = answerOf(error);
        if (kafkaErrorOf(error) === undefined || !isMetadata(answer)) throw error;
        return answer;
      }
    });
  }

  #take(answer: MetadataResponse): void {
    this.#brokers.clear();
    for (const { nodeId, host, port } of answer.brokers) this.#brokers.set(nodeId, { host, port });
    for (const topic of TOPICS) {
      const found = answer.topics.find(({ name }) => name === this.nameOf(topic));
      if (found?.errorCode === TOPIC_AUTHORIZATION_FAILED) this.#denied.add(topic);
      else this.#denied.delete(topic);
      if (found === undefined || found.errorCode !== 0) {
        this.#topics.delete(topic);
        continue;
      }
      const before = this.#topics.get(topic);
      const partitions: PartitionView[] = [];
      for (const { partitionIndex, leaderId, leaderEpoch, replicaNodes } of found.partitions) {
        const known =
          before !== undefined && before.id === found.topicId ? before.partitions[partitionIndex] : undefined;
        const seen = { leader: leaderId, epoch: leaderEpoch, replicas: replicaNodes };
        // A broker that lags behind reports former leaders.
        partitions[partitionIndex] = known !== undefined && known.epoch > leaderEpoch ? known : seen;
      }
      this.#topics.set(topic, { id: found.topicId, partitions });
      if (!this.#ids.has(topic)) this.#ids.set(topic, found.topicId);
    }
  }
}

function noAnswer(failures: readonly Failure[]): TidemarkError {
  const texts = failures.map(({ error }) => error.message);
  const [first] = failures;
  const final = failures.find(({ isPassing }) => !isPassing) ?? first;
  const isPassing = failures.some((failure) => failure.isPassing);
  const code = isPassing ? 'unavailable' : final.error.code;
  const error = new TidemarkError(code, `no broker answers: ${texts.join('; ')}`, {}, { cause: first.error });
  return withOutlook(error, { isPassing, isStale: true, isNotStored: true });
}

function isMetadata(answer: unknown): answer is MetadataResponse {
  return typeof answer === 'object' && answer !== null && 'brokers' in answer && 'topics' in answer;
}

function shuffled<T>(items: T[], random: Random): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const other = Math.floor(random.next() * (i + 1));
    [items[i], items[other]] = [items[other], items[i]];
  }
  return items;
}

/** Parses `host:port` or `[::1]:port`. Errors: `invalid_argument`. */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) {
    throw limitError('brokers', `"${text}"`, 'an address host:port');
  }
  return { host: match[1] ?? match[2], port };
}
