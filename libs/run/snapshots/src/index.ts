export { ArchiveSchedule, type ArchiveScheduleParts } from './archive-schedule.ts';
export { type ControlCopyParts, ControlCopySchedule } from './control-copy-schedule.ts';
export type { MadeSnapshot } from './snapshot-messages.ts';
export type { LastSnapshot, SnapshotScheduleOptions, SnapshotScheduleParts } from './snapshot-schedule.ts';
export { SnapshotSchedule } from './snapshot-schedule.ts';
export { SnapshotThread } from './snapshot-thread.ts';
export { snapshotsService } from './snapshots-service.ts';
