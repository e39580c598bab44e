export type {
  ConsumerProblem,
  Halt,
  HaltCause,
  PartitionConsumerOptions,
  PartitionState,
} from './partition-consumer.ts';
export { PartitionConsumer } from './partition-consumer.ts';
