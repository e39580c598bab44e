export type {
  ConsumedState,
  ConsumerProblem,
  Halt,
  HaltCause,
  LogConsumerOptions,
} from './log-consumer.ts';
export { LogConsumer } from './log-consumer.ts';
