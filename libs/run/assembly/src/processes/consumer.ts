import type { ReplicaPosition } from '@tidemark/contract';
import { isTidemarkError, type Topic } from '@tidemark/ports';
import type { PositionsReader } from '@tidemark/store-rpc';

/** A process that consumes partitions of a topic. */
export interface Consumer {
  readonly topic: Topic;
  readonly address: string;
  readonly partitions: readonly number[];
  readonly reader: PositionsReader;
}

/** Asks all consumers for their positions, by partition. One that does not answer has none. */
export function askConsumers(
  consumers: readonly Consumer[],
  signal?: AbortSignal,
): Promise<(readonly [Consumer, ReadonlyMap<number, ReplicaPosition>])[]> {
  return Promise.all(
    consumers.map(async (consumer) => {
      try {
        const { positions } = await consumer.reader.positions(signal);
        return [consumer, new Map(positions.map((position) => [position.partition, position]))] as const;
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
        return [consumer, new Map<number, ReplicaPosition>()] as const;
      }
    }),
  );
}
