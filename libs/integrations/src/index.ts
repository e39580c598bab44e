export type { IntegrationPorts } from './redis/redis-check.ts';
export { RedisCheck } from './redis/redis-check.ts';
export type { RedisInstance } from './redis/redis-instance.ts';
export { DEFAULT_REDIS_INSTANCE } from './redis/redis-instance.ts';
export { REDIS_LIMITS } from './redis/redis-metrics.ts';
