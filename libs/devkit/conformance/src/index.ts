export type { DiskUnderTest } from './disk/disk-conformance.ts';
export { diskConformance } from './disk/disk-conformance.ts';
export { type KeyValueAdapter, keyValueConformance } from './key-value/key-value-conformance.ts';
export type { LogCluster, MakeCluster } from './log/cluster.ts';
export type { FaultyLog, FaultyLogOptions, LogFault, LogFaultPlan } from './log/faulty-log.ts';
export { faultyLog, LOG_FAULTS } from './log/faulty-log.ts';
export type { LogConformanceOptions } from './log/log-conformance.ts';
export { logConformance } from './log/log-conformance.ts';
export { testSeed } from './test-seed.ts';
