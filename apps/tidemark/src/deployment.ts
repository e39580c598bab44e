import type { ChannelCredentials } from '@grpc/grpc-js';
import type { KafkaObservation, ProcessKind } from '@tidemark/doctor';

/** A process of a deployment. */
export interface Target {
  readonly kind: ProcessKind;
  readonly address: string;
  /** Those of a store; empty for other processes. */
  readonly partitions: readonly number[];
}

/** The processes of a platform, and the credentials for calls of each. */
export interface Deployment {
  readonly targets: readonly Target[];
  /** Key for the services of a process, such as `Process.Health`. */
  readonly processKey: string | undefined;
  /** Key for `Query.Status`. */
  readonly statusKey: string | undefined;
  readonly credentials: ChannelCredentials;
  readonly kafka: ((timeoutMs: number) => Promise<KafkaObservation>) | undefined;
}
