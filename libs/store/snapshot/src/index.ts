export type { CollectedSnapshots, CollectOptions } from './collect-snapshots.ts';
export { collectSnapshots } from './collect-snapshots.ts';
export type {
  Checkpoint,
  CheckpointFile,
  CreatedSnapshot,
  CreateOptions,
  ReportProgress,
} from './create-snapshot.ts';
export { createSnapshot } from './create-snapshot.ts';
export type { ListedSnapshots, NewestSnapshot, UnreadableSnapshot } from './list-snapshots.ts';
export { listSnapshots, newestSnapshot, readManifest } from './list-snapshots.ts';
export { PIN_MS, PIN_RENEW_MS } from './pin.ts';
export type { FolderPlace, RestoreOptions } from './restore-snapshot.ts';
export { RESTORING, restoreSnapshot } from './restore-snapshot.ts';
export type { SnapshotFacts, SnapshotFile, SnapshotManifest, StateHash } from './snapshot-manifest.ts';
export type { SnapshotKind, SnapshotPlace } from './snapshot-place.ts';
export { MAX_PARTITION, SNAPSHOT_KINDS } from './snapshot-place.ts';
export { SNAPSHOTS_PREFIX, snapshotPlaces } from './snapshot-places.ts';
export type { SnapshotOptions, SnapshotStoreParts } from './snapshot-store.ts';
export { SnapshotStore } from './snapshot-store.ts';
export type { TableDigest } from './table-digests.ts';
export { TableDigests } from './table-digests.ts';
export type { VerifiedSnapshot, VerifyOptions, WrongFile } from './verify-snapshot.ts';
export { verifySnapshot } from './verify-snapshot.ts';
