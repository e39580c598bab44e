export { KafkaCheck } from './kafka/kafka-check.ts';
export type { KafkaInstance, KafkaSaslUser } from './kafka/kafka-instance.ts';
export { DEFAULT_KAFKA_INSTANCE } from './kafka/kafka-instance.ts';
export type { IntegrationPorts } from './ports.ts';
export { RedisCheck } from './redis/redis-check.ts';
export type { RedisInstance } from './redis/redis-instance.ts';
export { DEFAULT_REDIS_INSTANCE } from './redis/redis-instance.ts';
