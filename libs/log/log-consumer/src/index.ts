export type {
  ConsumedState,
  ConsumerProblem,
  Halt,
  HaltCause,
  LogConsumerOptions,
  LostRecords,
} from './log-consumer.ts';
export { LogConsumer } from './log-consumer.ts';
export { LogMemory } from './log-memory.ts';
