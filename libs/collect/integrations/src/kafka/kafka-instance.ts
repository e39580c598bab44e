import { TidemarkError } from '@tidemark/ports';

export interface KafkaSaslUser {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly user: string;
  /** A file with the password, read at each run. */
  readonly passwordFile: string;
}

/** A Kafka cluster to check. */
export interface KafkaInstance {
  /** Bootstrap brokers, `host:port`; the cluster reports the others. */
  readonly brokers: readonly string[];
  /** Topics whose partitions are reported. Default: all except Kafka's internal topics. */
  readonly topics?: readonly string[];
  /** Consumer groups whose lag is reported. */
  readonly groups?: readonly string[];
  /** Further tags of its metrics. */
  readonly tags?: readonly string[];
  readonly intervalMs?: number;
  /** Timeout of a whole run, ms; capped at the interval. */
  readonly timeoutMs?: number;
  /** Max partitions with metrics of their own; further ones are counted only in the cluster's sums. */
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

/** Parses the bootstrap addresses. Throws `invalid_argument` when there are none, or one is not `host:port`. */
export function bootstrapOf({ brokers }: KafkaInstance): readonly BrokerAddress[] {
  if (brokers.length === 0) throw refusal('kafka brokers: none (limit: at least one host:port)');
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
