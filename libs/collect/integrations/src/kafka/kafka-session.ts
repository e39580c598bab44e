import { isIP } from 'node:net';
import type { Connection, ConnectionOptions } from '@platformatic/kafka';
import { TidemarkError } from '@tidemark/ports';
import type { BrokerAddress } from './kafka-instance.ts';
import type { ClusterState, CommittedOffset, KafkaPartition, PartitionOffsets } from './kafka-state.ts';
import { partitionName } from './kafka-state.ts';

export interface KafkaSessionOptions {
  readonly bootstrap: readonly BrokerAddress[];
  /** Timeout of one connection or one call, ms. */
  readonly callMs: number;
  readonly tls?: { readonly ca?: string };
  readonly sasl?: { readonly mechanism: string; readonly username: string; readonly password: string };
}

type KafkaCalls = typeof import('@platformatic/kafka');

const CLIENT = 'tidemark-agent';
const BEGINNING = -2n;
const END = -1n;
const ANY_REPLICA = -1;
const READ_UNCOMMITTED = 0;
const ANY_EPOCH = -1;
const NO_ERROR = 0;

/** The connections of one run of a check, one to each broker; `close` ends them. */
export class KafkaSession {
  readonly #calls: KafkaCalls;
  readonly #options: KafkaSessionOptions;
  readonly #connections = new Map<string, Promise<Connection>>();
  /** Addresses of the brokers, as the cluster reports them. */
  #addresses = new Map<number, BrokerAddress>();
  #first: Connection | undefined;
  #isClosed = false;

  constructor(calls: KafkaCalls, options: KafkaSessionOptions) {
    this.#calls = calls;
    this.#options = options;
  }

  /** Reads the topics from the first broker that answers; all except Kafka's internal ones when none are named. */
  async cluster(topics: readonly string[]): Promise<ClusterState> {
    const failures: string[] = [];
    for (const address of this.#options.bootstrap) {
      try {
        return await this.#clusterAt(address, topics);
      } catch (error) {
        failures.push(`${address.host}:${address.port}: ${reasonOf(error)}`);
      }
    }
    throw new TidemarkError('unavailable', `no broker answers: ${failures.join('; ').slice(0, 500)}`);
  }

  /**
   * Returns the offsets of partitions that a broker leads; partitions unknown to it are left out. Throws when the
   * connection fails, also when `partitions` is empty, or when the broker does not answer.
   */
  async offsets(broker: number, partitions: readonly KafkaPartition[]): Promise<Map<string, PartitionOffsets>> {
    const connection = await this.#broker(broker);
    if (partitions.length === 0) return new Map();
    const [beginnings, ends] = await Promise.all([
      this.#offsetsAt(connection, partitions, BEGINNING),
      this.#offsetsAt(connection, partitions, END),
    ]);
    return new Map(
      partitions.map((one) => {
        const name = partitionName(one);
        return [name, { beginning: beginnings.get(name), end: ends.get(name) }];
      }),
    );
  }

  /** Returns the committed offsets of a group. Throws when its coordinator is not found or does not answer. */
  async committed(group: string): Promise<CommittedOffset[]> {
    const connection = await this.#coordinator(group);
    const { groups } = await withPartialAnswer(() =>
      this.#calls.offsetFetchV8.api.async(
        connection,
        [{ groupId: group, memberEpoch: ANY_EPOCH, topics: null }],
        false,
      ),
    );
    return groups.flatMap(({ topics }) =>
      topics.flatMap(({ name, partitions }) =>
        partitions
          .filter(({ errorCode, committedOffset }) => errorCode === 0 && committedOffset >= 0n)
          .map(({ partitionIndex, committedOffset }) => ({
            group,
            topic: name,
            partition: partitionIndex,
            offset: Number(committedOffset),
          })),
      ),
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([...this.#connections.values()].map(async (connection) => (await connection).close()));
  }

  async #clusterAt(address: BrokerAddress, topics: readonly string[]): Promise<ClusterState> {
    const connection = await this.#connect(address);
    const asked = topics.length === 0 ? null : topics.map((name) => ({ name }));
    const answer = await withPartialAnswer(() => this.#calls.metadataV12.api.async(connection, asked, false));
    this.#first = connection;
    this.#addresses = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    const known = answer.topics.filter(({ name, errorCode, isInternal }) => {
      return name !== null && errorCode === NO_ERROR && (asked !== null || !isInternal);
    });
    return {
      id: answer.clusterId ?? '',
      controller: answer.controllerId,
      brokers: answer.brokers.map(({ nodeId }) => nodeId).sort((a, b) => a - b),
      topics: new Map(
        known.map(({ name, partitions }) => {
          const topic = name ?? '';
          const states = partitions.map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => {
            return { topic, partition: partitionIndex, leader: leaderId, replicas: replicaNodes, inSync: isrNodes };
          });
          return [topic, states.sort((a, b) => a.partition - b.partition)];
        }),
      ),
    };
  }

  async #offsetsAt(
    connection: Connection,
    partitions: readonly KafkaPartition[],
    timestamp: bigint,
  ): Promise<Map<string, number>> {
    const byTopic = new Map<string, { partitionIndex: number; currentLeaderEpoch: number; timestamp: bigint }[]>();
    for (const { topic, partition } of partitions) {
      const asked = byTopic.get(topic) ?? [];
      asked.push({ partitionIndex: partition, currentLeaderEpoch: ANY_EPOCH, timestamp });
      byTopic.set(topic, asked);
    }
    const topics = [...byTopic].map(([name, asked]) => ({ name, partitions: asked }));
    const answer = await withPartialAnswer(() =>
      this.#calls.listOffsetsV7.api.async(connection, ANY_REPLICA, READ_UNCOMMITTED, topics),
    );
    const offsets = new Map<string, number>();
    for (const { name, partitions: found } of answer.topics) {
      for (const { partitionIndex, errorCode, offset } of found) {
        if (errorCode === 0 && offset >= 0n) {
          offsets.set(partitionName({ topic: name, partition: partitionIndex }), Number(offset));
        }
      }
    }
    return offsets;
  }

  async #coordinator(group: string): Promise<Connection> {
    const first = this.#first;
    if (first === undefined)
      throw new TidemarkError('failed_precondition', 'no broker is connected; call cluster() first');
    const { FindCoordinatorKeyTypes, findCoordinatorV4 } = this.#calls;
    const answer = await findCoordinatorV4.api.async(first, FindCoordinatorKeyTypes.GROUP, [group]);
    const [found] = answer.coordinators;
    if (found === undefined) throw new TidemarkError('unavailable', `group ${group} has no coordinator`);
    return this.#connect(found);
  }

  #broker(id: number): Promise<Connection> {
    const address = this.#addresses.get(id);
    if (address === undefined)
      throw new TidemarkError('unavailable', `the cluster does not list broker ${id} as alive`);
    return this.#connect(address);
  }

  #connect(address: BrokerAddress): Promise<Connection> {
    if (this.#isClosed) throw new TidemarkError('cancelled', 'the run has ended');
    const key = `${address.host}:${address.port}`;
    let connection = this.#connections.get(key);
    if (connection === undefined) {
      connection = this.#open(address);
      this.#connections.set(key, connection);
    }
    return connection;
  }

  async #open({ host, port }: BrokerAddress): Promise<Connection> {
    const { callMs, tls, sasl } = this.#options;
    const options: ConnectionOptions = { connectTimeout: callMs, requestTimeout: callMs, maxInflights: 8 };
    if (tls !== undefined) {
      options.tls = { ca: tls.ca };
      // Proxies in front of brokers route by the server name; an IP address must not be sent as one.
      if (isIP(host) === 0) options.tlsServerName = host;
    }
    if (sasl !== undefined) options.sasl = sasl as ConnectionOptions['sasl'];
    const connection = new this.#calls.Connection(CLIENT, options);
    // The pending call rejects with the same error; without a listener the event would end the process.
    connection.on('error', () => undefined);
    await connection.connect(host, port);
    // The session closed meanwhile, so no later code would close this connection.
    if (this.#isClosed) await connection.close();
    return connection;
  }
}

/** Returns an answer also when parts of it have errors: then the client throws an error that contains the answer. */
async function withPartialAnswer<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const answer = find(error, (one) => one.response ?? undefined);
    if (answer === undefined) throw error;
    return answer as T;
  }
}

/** Returns the messages of an error and its causes as one text, or Kafka's own name of the error. */
export function reasonOf(error: unknown): string {
  const kafkaError = find(error, (one) => (typeof one.apiId === 'string' ? one.apiId : undefined));
  if (typeof kafkaError === 'string') return kafkaError;
  const messages: string[] = [];
  for (let one: unknown = error; isObject(one) && messages.length < 4; one = one.cause)
    messages.push(String(one.message));
  return messages.join(': ') || String(error);
}

/** Searches an error, its nested errors and its causes, up to five levels deep. */
function find(error: unknown, pick: (error: Readonly<Record<string, unknown>>) => unknown, depth = 0): unknown {
  if (!isObject(error) || depth > 4) return undefined;
  const own = pick(error);
  if (own !== undefined) return own;
  for (const inner of [...(Array.isArray(error.errors) ? error.errors : []), error.cause]) {
    const found = find(inner, pick, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
