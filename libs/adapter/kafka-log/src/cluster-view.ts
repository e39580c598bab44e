import { metadataV12 } from '@platformatic/kafka';
import { type Clock, type Random, sleep, TidemarkError, type Topic } from '@tidemark/ports';
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

/** A broker that does not answer holds up the look at the cluster for this long, before another one is asked, too. */
const HEDGE_MS = 500;
/** Between two looks. */
const REST_MS = 50;
const TOPIC_AUTHORIZATION_FAILED = 29;
/** Of what a later look may find otherwise, before anything was sent to a leader. */
const PASSING = { isPassing: true, isStale: true, isNotStored: true };

/** What is known of the cluster: its brokers, the topics and their leaders. It is asked again when told it is stale. */
export class ClusterView {
  readonly #options: KafkaLogOptions;
  readonly #limits: KafkaLogLimits;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #bootstrap: readonly Address[];
  readonly #links = new Map<string, BrokerLink>();
  readonly #brokers = new Map<number, Address>();
  readonly #topics = new Map<Topic, TopicView>();
  /** The id that each topic had when it was first seen: another one is another log. */
  readonly #ids = new Map<Topic, string>();
  readonly #denied = new Set<Topic>();
  #clusterId: string | undefined;
  #isStale = true;
  #looking: Promise<void> | undefined;
  #lastLookMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(options: KafkaLogOptions, limits: KafkaLogLimits, clock: Clock, random: Random) {
    this.#options = options;
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
    this.#bootstrap = options.brokers.map(parseAddress);
    if (this.#bootstrap.length === 0) throw new TidemarkError('invalid_argument', 'brokers: no address is given');
    for (const topic of TOPICS) {
      const id = options.topicIds?.[topic];
      if (id !== undefined) this.#ids.set(topic, id);
    }
  }

  /** The topic's name in Kafka. */
  nameOf(topic: Topic): string {
    return `${this.#options.topicPrefix}${topic}`;
  }

  /** How many brokers the cluster said it has. */
  get brokers(): number {
    return this.#brokers.size;
  }

  /** What is known may be wrong: the next question looks again. */
  expire(): void {
    this.#isStale = true;
  }

  /** Looks at the cluster if that is due. Errors: those of the brokers, when none of them answers. */
  async look(): Promise<void> {
    if (!this.#isStale) return;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  /** A topic as seen last; undefined when the cluster has none. Errors: `permission_denied`, those of `look`. */
  async topic(topic: Topic): Promise<TopicView | undefined> {
    await this.look();
    this.#checkRight(topic);
    return this.#topics.get(topic);
  }

  /**
   * The leader of a partition. Errors: `not_found`, `unavailable` when there is no leader, `failed_precondition` when
   * the topic is another one than before; those of `look`.
   */
  async leader(topic: Topic, partition: number): Promise<Leader> {
    await this.look();
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
        `the topic ${this.nameOf(topic)} was deleted and made anew: its id is ${view.id}, this log's is ${pinned}`,
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
    const text = `this user has no right to the topic ${this.nameOf(topic)}: it needs Read, Write and Describe`;
    throw withOutlook(new TidemarkError('permission_denied', text, { topic }), { ...PASSING, isPassing: false });
  }

  /** A link to any broker that the cluster has told of. */
  async anyone(): Promise<BrokerLink> {
    await this.look();
    return this.#candidates()[0];
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  /** Links to all brokers: those that the cluster told of, then the addresses to begin with; each in random order. */
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

  async #look(): Promise<void> {
    const restMs = this.#lastLookMs + REST_MS - this.#clock.monotonicMs();
    if (restMs > 0) await sleep(this.#clock, restMs);
    if (this.#isClosed) throw new TidemarkError('unavailable', 'the log is closed');
    // Whatever makes it stale from here on needs a further look.
    this.#isStale = false;
    try {
      this.#take(await this.#firstAnswer(this.#candidates()));
    } catch (error) {
      this.#isStale = true;
      throw error;
    } finally {
      this.#lastLookMs = this.#clock.monotonicMs();
    }
  }

  /** Asks one after the other, the next one when the one before fails or takes long, until one answers. */
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
            failures.push(failureOf(error, `ask the broker at ${link.name} about the cluster`, { broker: link.name }));
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
      const text = `the broker at ${link.name} is of another cluster: ${answer.clusterId}, not ${this.#clusterId}`;
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
        // A broker that lags behind tells of former leaders.
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

/** `host:port`, `[::1]:port`. Errors: `invalid_argument`. */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) {
    throw new TidemarkError('invalid_argument', `brokers: «${text}» is not host:port`, { field: 'brokers' });
  }
  return { host: match[1] ?? match[2], port };
}
