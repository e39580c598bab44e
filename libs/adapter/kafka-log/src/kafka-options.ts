import type { Topic } from '@tidemark/ports';

/** The bounds of the Kafka adapter. Every one has a default. */
export interface KafkaLogLimits {
  /** Largest value of one record. */
  readonly recordBytes: number;
  /** Bytes of values on their way to all brokers; further appends wait. */
  readonly inFlightBytes: number;
  /** Largest answer to one read, unless a single record is larger. */
  readonly readBytes: number;
  /** Connections for appends to one broker. A broker works on one request of a connection at a time. */
  readonly appendConnections: number;
  /** Connections for reads from one broker: a read that waits has one of its own. */
  readonly readConnections: number;
  /** Requests that may wait for one of these connections. */
  readonly waitingRequests: number;
  /** How long a connection may take to be made, TLS and authentication included. */
  readonly connectMs: number;
  /** How long a broker may take to answer a request, beyond what it was told to wait. */
  readonly requestMs: number;
  /** An operation repeats attempts that failed in passing, such as at a leader that moved, for this long. */
  readonly retryMs: number;
  /** One wait of a broker for a record; longer waits of readers are several. */
  readonly readWaitMs: number;
}

const MIB = 2 ** 20;

export const DEFAULT_KAFKA_LOG_LIMITS: KafkaLogLimits = {
  recordBytes: 16 * MIB,
  inFlightBytes: 64 * MIB,
  readBytes: 16 * MIB,
  appendConnections: 8,
  readConnections: 64,
  waitingRequests: 4096,
  connectMs: 3000,
  requestMs: 5000,
  retryMs: 2000,
  readWaitMs: 5000,
};

/** TLS towards the brokers; all in PEM. */
export interface KafkaTls {
  /** Certificates that are trusted. Default: those that Node knows. */
  readonly ca?: string;
  /** Of this client, where the brokers ask for one. */
  readonly certificate?: string;
  readonly key?: string;
}

export interface KafkaSasl {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly username: string;
  readonly password: string;
}

/** How a Kafka cluster is reached. A plain object: it can be sent to a worker thread. */
export interface KafkaLogOptions {
  /** Addresses to begin with, `host:port`; the cluster tells the others. */
  readonly brokers: readonly string[];
  /** The name that brokers put into their logs and quotas. */
  readonly clientId: string;
  /** Put before the names of the topics, so that several deployments can share a cluster: `tidemark-`. */
  readonly topicPrefix: string;
  readonly tls?: KafkaTls;
  readonly sasl?: KafkaSasl;
  /** Bounds that differ from `DEFAULT_KAFKA_LOG_LIMITS`. */
  readonly limits?: Partial<KafkaLogLimits>;
  /**
   * The topics' ids, as the bounds of their partitions told earlier: a topic of another id is not the one that was written, and
   * is refused. Without it, the first topic of that name that is seen counts.
   */
  readonly topicIds?: Readonly<Partial<Record<Topic, string>>>;
}

export const TOPICS: readonly Topic[] = ['points', 'tags', 'control', 'windows'];
