export { DedupWindow, WINDOW } from './dedup-window.ts';
export type { ClientState, LaneState } from './partition-tracker.ts';
export { clientKey, laneKey, PartitionTracker, RETENTION_MS } from './partition-tracker.ts';
export { packClient, packLane, packTrackerHead, trackerFingerprint, unpackTracker } from './tracker-codec.ts';
