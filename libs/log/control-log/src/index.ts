export { ControlFollower, ControlWriter } from './control-log.ts';
export type { ControlMessage } from './control-record.ts';
export { decodeControl, encodeControl } from './control-record.ts';
export type { DeadLaneInfo, FenceInfo, SessionInfo, SkipInfo } from './control-state.ts';
export { budgetKey, budgetOf, ControlState, fenceKey } from './control-state.ts';
export { followSkips } from './follow-skips.ts';
