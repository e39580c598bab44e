export { startCoordinator } from './coordinator-process.ts';
export { startIntake } from './intake-process.ts';
export { startQuery } from './query-process.ts';
export type { ServiceProgram } from './run-service.ts';
export { runService } from './run-service.ts';
export type { Service, ServiceContext, ServiceEvents } from './service-context.ts';
export { startAggregator, startPointStore, startTagStore } from './store-process.ts';
