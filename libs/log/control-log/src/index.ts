export type { AccessOptions, HttpOrigin, Scope } from './access.ts';
export { Access, bearerKey, DEFAULT_TENANT, isLocalRequest, isLoopbackAddress, isLoopbackHost } from './access.ts';
export { hashApiKey, newApiKey } from './api-key.ts';
export { ControlFollower, ControlWriter } from './control-log.ts';
export type { ControlMessage } from './control-record.ts';
export { decodeControl, encodeControl } from './control-record.ts';
export type { DeadLaneInfo, FenceInfo, KeyInfo, SessionInfo, SkipInfo } from './control-state.ts';
export { budgetKey, budgetOf, ControlState, fenceKey } from './control-state.ts';
export { followSkips } from './follow-skips.ts';
