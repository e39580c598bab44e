import type { Topic } from '@tidemark/ports';

/** The bounds of the Kafka adapter. Each has a default. */
export interface KafkaLogLimits {
  /** Largest value of one record. */
  readonly recordBytes: number;
  /** Bytes of values in flight to all brokers; further appends wait. */
  readonly inFlightBytes: number;
  /** Largest answer to one read, unless a single record is larger. */
  readonly readBytes: number;
  /** Connections for appends to one broker. A broker handles one request of a connection at a time. */
  readonly appendConnections: number;
  /** Connections for reads from one broker: a waiting read occupies one. */
  readonly readConnections: number;
  /** Requests that may wait for a connection to one broker, for each purpose. */
  readonly waitingRequests: number;
  /** Timeout of connecting, TLS and authentication included. */
  readonly connectMs: number;
  /** Timeout of a broker's answer, in addition to the time that the request asks it to wait. */
  readonly requestMs: number;
  /** An operation retries transient failures, such as a leader that moved, for this long. */
  readonly retryMs: number;
  /** Longest wait of one fetch for a record; a longer wait of a reader becomes several fetches. */
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

/** TLS of the connections to brokers; all values in PEM. */
export interface KafkaTls {
  /** Trusted certificates. Default: those of Node. */
  readonly ca?: string;
  /** Certificate of this client, where the brokers require one. */
  readonly certificate?: string;
  readonly key?: string;
}

export interface KafkaSasl {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly username: string;
  readonly password: string;
}

/** Options of the connection to a Kafka cluster. A plain object: it can be sent to a worker thread. */
export interface KafkaLogOptions {
  /** Bootstrap addresses, `host:port`; the cluster reports the other brokers. */
  readonly brokers: readonly string[];
  /** The client id that brokers use in their logs and quotas. */
  readonly clientId: string;
  /** Prefix of the names of the topics, such as `tidemark-`, so that several deployments can share a cluster. */
  readonly topicPrefix: string;
  readonly tls?: KafkaTls;
  readonly sasl?: KafkaSasl;
  /** Bounds that differ from `DEFAULT_KAFKA_LOG_LIMITS`. */
  readonly limits?: Partial<KafkaLogLimits>;
  /**
   * The topics' ids, as `bounds` of their partitions returned them earlier: a topic with another id is not the one that
   * was written, and is refused. Without an id the first topic of that name that is seen is accepted.
   */
  readonly topicIds?: Readonly<Partial<Record<Topic, string>>>;
}

export const TOPICS: readonly Topic[] = ['points', 'tags', 'control', 'windows'];
