export type { Halt, PartitionConsumerOptions, PartitionState } from './partition-consumer.ts';
export { PartitionConsumer } from './partition-consumer.ts';
