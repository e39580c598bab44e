import { DEFAULT_EMBEDDED_LOG_LIMITS } from '@tidemark/embedded-log/limits';
import { DAY_MS } from '@tidemark/model';
import { DEFAULT_POINT_STORE_LIMITS } from '@tidemark/point-store/limits';
import { DEFAULT_QUERY_SERVICE_LIMITS } from '@tidemark/query/limits';
import * as z from 'zod';
import { GIB, KIB, MIB, whole } from '../setting.ts';

const L = DEFAULT_EMBEDDED_LOG_LIMITS;
const S = DEFAULT_POINT_STORE_LIMITS;
const Q = DEFAULT_QUERY_SERVICE_LIMITS;

/** Bounds of the embedded log. */
export const LOG = z.strictObject({
  recordBytes: whole(L.recordBytes, 'bytes', MIB, GIB, 'Size of one record.'),
  segmentBytes: whole(L.segmentBytes, 'bytes', 64 * KIB, 16 * GIB, 'Size at which the log begins a new segment file.'),
  maxBytes: whole(
    L.maxBytes,
    'bytes',
    64 * MIB,
    1024 * 1024 * GIB,
    'Size of the whole log; above this the log refuses appends.',
  ),
  controlReserveBytes: whole(
    L.controlReserveBytes,
    'bytes',
    0,
    GIB,
    'The part of `log.maxBytes` that is reserved for `control`.',
  ),
  groupBytes: whole(L.groupBytes, 'bytes', 4 * KIB, 256 * MIB, 'Bytes that one fsync makes durable.'),
  pendingBytes: whole(
    L.pendingBytes,
    'bytes',
    MIB,
    4 * GIB,
    'Bytes of one partition that may wait for the previous fsync.',
  ),
  tailCacheBytes: whole(
    L.tailCacheBytes,
    'bytes',
    0,
    4 * GIB,
    'Latest records of one partition that are kept in memory while a reader in the same thread follows them.',
  ),
  producers: whole(
    L.producers,
    'producers',
    1,
    1_000_000,
    'Producers of one partition that are remembered; the least recently active is evicted first.',
  ),
  waitingReads: whole(L.waitingReads, 'reads', 1, 1_000_000, 'Reads of one partition that may wait at the same time.'),
  openSegments: whole(
    L.openSegments,
    'files',
    1,
    10_000,
    'Segment files of one partition that are kept open for reading.',
  ),
  readBytes: whole(L.readBytes, 'bytes', 64 * KIB, 256 * MIB, 'Size of one read from a file.'),
});

/** The point and tag stores. */
export const STORE = z.strictObject({
  threads: whole(2, 'threads', 1, 256, 'Threads that the partitions are spread over.'),
  commitRows: whole(S.commitRows, 'rows', 1000, 100_000_000, 'A store commits after this many rows at the latest.'),
  commitBytes: whole(S.commitBytes, 'bytes', MIB, 16 * GIB, 'A store commits after this many bytes of records.'),
  commitStepMs: whole(
    S.commitStepMs,
    'ms',
    1000,
    DAY_MS,
    'A store commits when the watermark crosses a multiple of this. Buckets close only there.',
  ),
  bucketMs: whole(
    S.bucketMs,
    'ms',
    1000,
    DAY_MS,
    'Width of a bucket, a multiple of `store.commitStepMs`. The short pages of a closed bucket are merged, and its points hashed.',
  ),
  retentionMs: whole(
    S.retentionMs,
    'ms',
    0,
    36_500 * DAY_MS,
    'How long points and their series are kept, in whole buckets and days; at least `store.bucketMs`. 0: permanently. Equal for all stores and intakes. What is older when it is set or lowered goes at twice the speed of time: a month of it in a month.',
  ),
  recentBytes: whole(
    S.recentBytes,
    'bytes',
    0,
    256 * GIB,
    'Newest pages that are kept in memory, and for a quarter of it pages that queries have read from disk, for each partition. Each may use what others of its thread do not.',
  ),
  bucketHashes: whole(S.bucketHashes, 'hashes', 1, 1_000_000, 'Hashes of closed buckets that are kept.'),
  steps: whole(S.steps, 'steps', 1, 1_000_000, 'Steps of one request to a store.'),
  groups: whole(S.groups, 'groups', 1, 10_000_000, 'Groups of one request to a store.'),
  values: whole(S.values, 'values', 1, 1e9, 'Groups × steps of one reply of a store.'),
  points: whole(S.points, 'points', 1, 1e12, 'Points read for one request to a store.'),
  readBytes: whole(
    S.readBytes,
    'bytes',
    1024,
    64 * GIB,
    'Pages of points that one request to a store may read, which stay in memory until it ends.',
  ),
  seriesSetsBytes: whole(S.seriesSetsBytes, 'bytes', 16, 64 * GIB, 'Series sets that a store caches by digest.'),
});

/** Bounds of one query. */
export const QUERY = z.strictObject({
  steps: whole(Q.steps, 'steps', 1, 1_000_000, 'Steps of one part of a query.'),
  rangeMs: whole(Q.rangeMs, 'ms', 1000, 36_600 * DAY_MS, 'Length of the time range.'),
  series: whole(Q.series, 'series', 1, 1e9, 'Series of all parts.'),
  groups: whole(Q.groups, 'groups', 1, 10_000_000, 'Groups of all parts.'),
  values: whole(Q.values, 'values', 1, 1e9, 'Groups × steps of all parts.'),
  sketchValues: whole(Q.sketchValues, 'values', 1, 1e8, 'Groups × steps of parts over distributions.'),
  memoryBytes: whole(Q.memoryBytes, 'bytes', MIB, 256 * GIB, 'Memory of one query and its answer.'),
  tenantMemoryBytes: whole(Q.tenantMemoryBytes, 'bytes', MIB, 256 * GIB, 'Memory of all queries of a tenant.'),
  processMemoryBytes: whole(Q.processMemoryBytes, 'bytes', MIB, 256 * GIB, 'Memory of all queries of the process.'),
  requestBytes: whole(Q.requestBytes, 'bytes', 1024, 16 * MIB, 'Bytes of one request over gRPC.'),
  points: whole(Q.points, 'points', 1, 1e12, 'Points that the stores read.'),
  timeMs: whole(Q.timeMs, 'ms', 10, 3_600_000, 'How long a query may take.'),
  concurrentQueries: whole(Q.concurrentQueries, 'queries', 1, 10_000, 'Concurrent queries of one tenant.'),
  concurrentRequests: whole(Q.concurrentRequests, 'requests', 1, 10_000, 'Concurrent requests of one query to stores.'),
  described: whole(Q.described, 'names', 1, 1_000_000, 'Metrics, or values of a tag key, in one description.'),
  seriesSets: whole(
    Q.seriesSets,
    'sets',
    1,
    100_000,
    'Series sets per partition that the query service records as known to the store.',
  ),
  seriesSetBytes: whole(
    Q.seriesSetBytes,
    'bytes',
    16,
    GIB,
    'Series sets of at least this size are sent to a store only once.',
  ),
  matchBytes: whole(
    Q.matchBytes,
    'bytes',
    0,
    64 * GIB,
    'Memory of series that the tag stores found for recent questions; 0: every query has them found again.',
  ),
});
