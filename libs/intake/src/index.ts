export type { AcceptClock } from './accept-clock.ts';
export { sessionClock } from './accept-clock.ts';
export type { ClientStream } from './client-stream.ts';
export type { IntakeServiceOptions } from './grpc-service.ts';
export { intakeService } from './grpc-service.ts';
export type { IntakeLimits, LaneTiming } from './intake-limits.ts';
export { DEFAULT_INTAKE_LIMITS, DEFAULT_LANE_TIMING } from './intake-limits.ts';
export type { IntakeOptions } from './intake-session.ts';
export { IntakeSession } from './intake-session.ts';
