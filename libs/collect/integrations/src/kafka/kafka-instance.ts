import { TidemarkError } from '@tidemark/ports';

export interface KafkaSaslUser {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly user: string;
  /** A file with the password, read at each run. */
  readonly passwordFile: string;
}

/** A Kafka cluster to look at. */
export interface KafkaInstance {
  /** Brokers to begin with, `host:port`; the cluster tells the others. */
  readonly brokers: readonly string[];
  /** Topics whose partitions are of interest. Default: all but Kafka's own. */
  readonly topics?: readonly string[];
  /** Consumer groups whose lag is of interest. */
  readonly groups?: readonly string[];
  /** Further tags of its metrics. */
  readonly tags?: readonly string[];
  readonly intervalMs?: number;
  /** For a whole run, ms; at most the interval. */
  readonly timeoutMs?: number;
  /** Partitions that have metrics of their own; further ones only count in the sums. */
  readonly partitions?: number;
  readonly tls?: boolean;
  /** A file with certificates to trust instead of the system's, PEM, read at each run. */
  readonly caFile?: string;
  readonly sasl?: KafkaSaslUser;
}

export const DEFAULT_KAFKA_INSTANCE = { intervalMs: 15_000, timeoutMs: 10_000, partitions: 2_000 } as const;

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** The addresses to begin with. Throws `invalid_argument` when there is none, or one is no `host:port`. */
export function bootstrapOf({ brokers }: KafkaInstance): readonly BrokerAddress[] {
  if (brokers.length === 0) throw refusal('kafka: no broker is given');
  return brokers.map((text) => {
    const found = /^(?:\[([0-9a-f:.]+)\]|([^\s:/[\]@]+)):(\d{1,5})$/i.exec(text);
    const port = Number(found?.[3]);
    if (found === null || port < 1 || port > 65_535)
      throw refusal(`kafka broker ${text.slice(0, 80)} (limit: host:port)`);
    return { host: found[1] ?? found[2], port };
  });
}

function refusal(message: string): TidemarkError {
  return new TidemarkError('invalid_argument', message, { field: 'brokers' });
}
