export { healthEvents } from './health-events.ts';
export type { ProblemCause, ProblemKind } from './problem.ts';
export type { Check, CheckParts, ProcessHealthOptions } from './process-health.ts';
export { ProcessHealth } from './process-health.ts';
export type { HealthAccess, SessionOf } from './process-service.ts';
export { operatorsOnly, processService } from './process-service.ts';
export { watchControl, watchCoordinator } from './watch-control.ts';
export { intakeNotReady, watchIntake } from './watch-intake.ts';
export { watchStores } from './watch-stores.ts';
