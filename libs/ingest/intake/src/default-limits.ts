// What settings bound, apart from the intake itself: reading settings must not load what they configure.
export { DEFAULT_INTAKE_LIMITS, DEFAULT_LANE_TIMING } from './intake-limits.ts';
export { DEFAULT_REQUEST_LIMITS } from './request-limits.ts';
