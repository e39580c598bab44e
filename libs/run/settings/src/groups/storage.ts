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
  recordBytes: whole(L.recordBytes, 'bytes', MIB, GIB, 'One record.'),
  segmentBytes: whole(L.segmentBytes, 'bytes', 64 * KIB, 16 * GIB, 'A segment file ends at this size.'),
  maxBytes: whole(L.maxBytes, 'bytes', 64 * MIB, 1024 * 1024 * GIB, 'The whole log; beyond, the intake refuses.'),
  controlReserveBytes: whole(L.controlReserveBytes, 'bytes', 0, GIB, 'The part of it that only decisions may use.'),
  groupBytes: whole(L.groupBytes, 'bytes', 4 * KIB, 256 * MIB, 'What one fsync makes durable at most.'),
  pendingBytes: whole(L.pendingBytes, 'bytes', MIB, 4 * GIB, 'What may wait in one partition for the fsync before.'),
  tailCacheBytes: whole(L.tailCacheBytes, 'bytes', 0, 4 * GIB, 'Latest records of one partition kept in memory.'),
  producers: whole(L.producers, 'producers', 1, 1_000_000, 'Producers of one partition that are remembered.'),
  waitingReads: whole(L.waitingReads, 'reads', 1, 1_000_000, 'Reads of one partition that may wait.'),
  openSegments: whole(L.openSegments, 'files', 1, 10_000, 'Segment files of one partition kept open for reading.'),
  readBytes: whole(L.readBytes, 'bytes', 64 * KIB, 256 * MIB, 'One read from a file.'),
});

/** The point and tag stores. */
export const STORE = z.strictObject({
  threads: whole(2, 'threads', 1, 256, 'Threads that the partitions are spread over.'),
  commitRows: whole(S.commitRows, 'rows', 1000, 100_000_000, 'A commit is due after this many rows…'),
  commitBytes: whole(S.commitBytes, 'bytes', MIB, 16 * GIB, '…or this many bytes of records…'),
  commitStepMs: whole(
    S.commitStepMs,
    'ms',
    1000,
    DAY_MS,
    '…or when the watermark crosses a multiple of this. Buckets close only there.',
  ),
  bucketMs: whole(
    S.bucketMs,
    'ms',
    1000,
    DAY_MS,
    'Width of a bucket, a multiple of `store.commitStepMs`: chunks of a closed one are merged and hashed.',
  ),
  recentBytes: whole(S.recentBytes, 'bytes', 0, 256 * GIB, 'Newest chunks of one partition kept in memory.'),
  bucketHashes: whole(S.bucketHashes, 'hashes', 1, 1_000_000, 'Hashes of closed buckets that are kept.'),
  steps: whole(S.steps, 'steps', 1, 1_000_000, 'Steps of one request to a store.'),
  groups: whole(S.groups, 'groups', 1, 10_000_000, 'Groups of one request to a store.'),
  values: whole(S.values, 'values', 1, 1e9, 'Groups × steps of one answer of a store.'),
  points: whole(S.points, 'points', 1, 1e12, 'Points read for one request to a store.'),
  seriesSetsBytes: whole(S.seriesSetsBytes, 'bytes', 16, 64 * GIB, 'Sets of series remembered by their digest.'),
});

/** What one query may ask for. */
export const QUERY = z.strictObject({
  steps: whole(Q.steps, 'steps', 1, 1_000_000, 'Steps of one part of a query.'),
  rangeMs: whole(Q.rangeMs, 'ms', 1000, 36_600 * DAY_MS, 'Length of the range.'),
  series: whole(Q.series, 'series', 1, 1e9, 'Series of all parts.'),
  groups: whole(Q.groups, 'groups', 1, 10_000_000, 'Groups of all parts.'),
  values: whole(Q.values, 'values', 1, 1e9, 'Groups × steps of all parts.'),
  sketchValues: whole(Q.sketchValues, 'values', 1, 1e8, 'Groups × steps of parts over distributions.'),
  points: whole(Q.points, 'points', 1, 1e12, 'Points that the stores read.'),
  timeMs: whole(Q.timeMs, 'ms', 10, 3_600_000, 'How long a query may take.'),
  concurrentQueries: whole(Q.concurrentQueries, 'queries', 1, 10_000, 'Queries of one tenant at the same time.'),
  concurrentRequests: whole(Q.concurrentRequests, 'requests', 1, 10_000, 'Requests of one query to stores at once.'),
  described: whole(Q.described, 'names', 1, 1_000_000, 'Metrics, or values of a tag key, in one description.'),
  seriesSets: whole(Q.seriesSets, 'sets', 1, 100_000, 'Series sets per partition believed to be known there.'),
  seriesSetBytes: whole(Q.seriesSetBytes, 'bytes', 16, GIB, 'From this size on a series set is sent once only.'),
});
