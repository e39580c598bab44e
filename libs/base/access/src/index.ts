export type { AccessOptions, KeyInfo, KeyRegistry, Scope } from './access.ts';
export { Access, bearerKey, DEFAULT_TENANT, refuseAll } from './access.ts';
export { hashApiKey, newApiKey } from './api-key.ts';
export type { HttpOrigin } from './loopback.ts';
export { isLocalRequest, isLoopbackAddress, isLoopbackHost } from './loopback.ts';
export { isOperator } from './operator.ts';
export { secretCheck } from './secret-check.ts';
