import { DEFAULT_POINT_STORE_LIMITS } from '@tidemark/point-store';

/** Series of the tenant that count, those of two days. */
export const TENANT_SERIES = 4000;
/** Records of `control` between two checkpoints. */
export const CHECKPOINT_RECORDS = 2000;
export const TRIM_MS = 60_000;
/** Series that a client may have. */
export const CLIENT_SERIES = 200;
export const POINT_LIMITS = {
  ...DEFAULT_POINT_STORE_LIMITS,
  commitStepMs: 60_000,
  bucketMs: 600_000,
  retentionMs: 3_600_000,
  bucketHashes: 12,
};

/** Tables of client sessions, which are remembered for days. They have at most those of the run so far. */
const CLIENT_TABLES: readonly string[] = ['point store: client sessions'];

/** Max entries of each other table, at any hour of the run. */
const BOUNDS: Readonly<Record<string, number>> = {
  // A decision takes seconds, in which the series of one more client may come.
  'tag store: series': TENANT_SERIES * 1.05,
  'tag store: metrics': TENANT_SERIES * 1.05,
  'point store: series': TENANT_SERIES * 1.05,
  'point store: open lanes': 1,
  'point store: bucket hashes': POINT_LIMITS.bucketHashes,
  // An hour of buckets, the open ones, and those of a pause.
  'point store: buckets': 12,
  'control: sessions': 60,
  'control: fences': 60,
  'control: keys': 20,
  // One segment more than what is needed; a record of a second is 60 bytes.
  'log: records of control': 3 * CHECKPOINT_RECORDS + 6000,
  'log: records of points': 6000,
  'log: records of tags': 6000,
  // An intake serves for 47 minutes, in each of which one comes, and a long-lived one.
  'intake: clients': 50,
  'client: series': CLIENT_SERIES,
};

/** Max entries of a table of a run that has had so many client sessions. */
export function boundOf(table: string, clientSessions: number): number {
  return CLIENT_TABLES.includes(table) ? clientSessions : BOUNDS[table];
}
