export { Readings } from './readings.ts';
export { redisProgram } from './redis-program.ts';
export { RedisServer } from './redis-server.ts';
export { REDIS_START_MS, redisSuite } from './redis-suite.ts';
