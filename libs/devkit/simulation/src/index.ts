export { SECTOR_BYTES } from './cached-file.ts';
export { addFaultCounts, assertAllFired, type FaultCount, FaultPlan } from './fault-plan.ts';
export { Incarnation, ProcessCrashed } from './incarnation.ts';
export { ManualClock } from './manual-clock.ts';
export type { Content } from './memory-key-value.ts';
export { MemoryKeyValue } from './memory-key-value.ts';
export { passRecord } from './passing-record.ts';
export { SeededRandom } from './seeded-random.ts';
export { NodeClock, type NodeClockOptions, SimulatedClock, type SimulatedClockOptions } from './simulated-clock.ts';
export { type CrashKind, SimulatedDisk, type SimulatedDiskOptions } from './simulated-disk.ts';
export { SimulatedKeyValue, type SimulatedKeyValueOptions } from './simulated-key-value.ts';
export {
  type Acceptor,
  type Handler,
  type NetworkEndpoint,
  SimulatedNetwork,
  type SimulatedNetworkOptions,
} from './simulated-network.ts';
export { SimulatedObjectStore, type SimulatedObjectStoreOptions } from './simulated-object-store.ts';
export { type NodePorts, SimulatedNode, type SimulatedNodeOptions, SimulatedWorld } from './simulated-world.ts';
export type { StreamEnd } from './stream-link.ts';
