export type { CoordinatorOptions, SeriesCount } from './coordinator.ts';
export { Coordinator } from './coordinator.ts';
