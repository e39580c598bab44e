// Defaults of what is asked, apart from the checks that ask: reading settings must not load those.
export { DEFAULT_KAFKA_INSTANCE } from './kafka/kafka-instance.ts';
export { DEFAULT_REDIS_INSTANCE } from './redis/redis-instance.ts';
