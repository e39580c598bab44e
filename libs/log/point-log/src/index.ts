export type { Dictionary } from './lane-dictionaries.ts';
export { dictionaryOf, UNDEFINED_SERIES } from './lane-dictionaries.ts';
export type { JudgedRecord, MarkedGap } from './point-log-state.ts';
export { PointLogState } from './point-log-state.ts';
export { gapsOf, openLanes } from './point-log-status.ts';
export { SeriesTable } from './series-table.ts';
