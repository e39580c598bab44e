export type { ControlledStores, ControlServiceOptions } from './control-service.ts';
export { controlService } from './control-service.ts';
export type { CoordinatorOptions } from './coordinator.ts';
export { Coordinator } from './coordinator.ts';
export type { CountPartition } from './series-counts.ts';
export { countSeries } from './series-counts.ts';
export type { StorePosition } from './store-position.ts';
