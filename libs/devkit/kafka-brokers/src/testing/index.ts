export { KAFKA_START_MS, kafkaSuite } from './kafka-suite.ts';
