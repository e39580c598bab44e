import type { ReplicaPosition } from '@tidemark/contract';
import type { Topic } from '@tidemark/ports';

/** Position of one store of a partition of a topic, as far as the coordinator judges it. */
export interface StorePosition
  extends Pick<ReplicaPosition, 'partition' | 'offset' | 'logNext' | 'halted' | 'slowestSession'> {
  readonly topic: Topic;
}
