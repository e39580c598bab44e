export type { DeadLaneInfo, FenceInfo, HaltInfo, SessionInfo, SkipInfo } from './control-entries.ts';
export { budgetKey, budgetOf, fenceKey, haltKey } from './control-entries.ts';
export { ControlFollower, ControlWriter } from './control-log.ts';
export type { ControlMessage } from './control-record.ts';
export { decodeControl, encodeControl } from './control-record.ts';
export { ControlState } from './control-state.ts';
export type { Era } from './eras.ts';
export { Eras } from './eras.ts';
export { followSkips } from './follow-skips.ts';
