export type { ConditionEvents } from './condition-events.ts';
export { conditionEvents } from './condition-events.ts';
export type {
  Look,
  LookAtParts,
  ProblemCause,
  ProblemKind,
  ProcessConditionOptions,
} from './process-condition.ts';
export { ProcessCondition } from './process-condition.ts';
export type { ConditionDoor } from './process-service.ts';
export { operatorsOnly, processService } from './process-service.ts';
export { watchControl, watchCoordinator } from './watch-control.ts';
export { intakeNotReady, watchIntake } from './watch-intake.ts';
export { watchStores } from './watch-stores.ts';
