export type { HttpApiOptions, RequestAccess } from './http-api.ts';
export { httpApi } from './http-api.ts';
export type { HttpApiLimits } from './http-api-limits.ts';
export { DEFAULT_HTTP_API_LIMITS } from './http-api-limits.ts';
export { connectionRefusal } from './raw-answer.ts';
