export type { LogCluster, MakeCluster } from './cluster.ts';
export type { DiskUnderTest } from './disk-conformance.ts';
export { diskConformance } from './disk-conformance.ts';
export type { FaultyLog, FaultyLogOptions, LogFault, LogFaultPlan } from './faulty-log.ts';
export { faultyLog, LOG_FAULTS } from './faulty-log.ts';
export type { LogConformanceOptions } from './log-conformance.ts';
export { logConformance } from './log-conformance.ts';
export { SeededRandom, testSeed } from './seeded-random.ts';
