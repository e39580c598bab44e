export { realSuite } from './real-suite.ts';
export type { UnsyncedAt } from './trace-syncs.ts';
export { canTraceSyncs, traceSyncs } from './trace-syncs.ts';
