// Defaults of instances, in an entry point of their own: code that reads settings must not load the checks.
export { DEFAULT_KAFKA_INSTANCE } from './kafka/kafka-instance.ts';
export { DEFAULT_REDIS_INSTANCE } from './redis/redis-instance.ts';
