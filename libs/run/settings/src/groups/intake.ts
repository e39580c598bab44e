import { DEFAULT_SHARE_LIMITS, SHARE_POINTS_LIMIT, SHARE_SKETCHES_LIMIT } from '@tidemark/columns';
import { DEFAULT_INTAKE_LIMITS, DEFAULT_LANE_TIMING } from '@tidemark/intake/limits';
import { DAY_MS, DEFAULT_POINT_LIMITS } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { DICTIONARY_REFS_LIMIT } from '@tidemark/point-records';
import * as z from 'zod';
import { GIB, KIB, MIB, whole } from '../setting.ts';

const P = DEFAULT_POINT_LIMITS;
const I = DEFAULT_INTAKE_LIMITS;
const T = DEFAULT_LANE_TIMING;

/** Bounds of a point. */
export const POINT = z.strictObject({
  metricBytes: whole(P.metricBytes, 'bytes', 1, 4096, 'Name of a metric, in UTF-8.'),
  tagBytes: whole(P.tagBytes, 'bytes', 1, 8192, 'One tag, `key:value`, in UTF-8.'),
  seriesBytes: whole(P.seriesBytes, 'bytes', 1, 512 * KIB, 'Name of a metric and all tags of a series, in UTF-8.'),
  tags: whole(P.tags, 'tags', 0, 1000, 'Tags of one series.'),
  tenantBytes: whole(P.tenantBytes, 'bytes', 1, 255, 'Name of a tenant, in UTF-8.'),
  aheadMs: whole(P.aheadMs, 'ms', 0, DAY_MS, 'How far ahead of the intake a timestamp may be.'),
  behindMs: whole(
    P.behindMs,
    'ms',
    0,
    3650 * DAY_MS,
    'How far behind the intake a timestamp may be; no further than `store.retentionMs`, if that is set.',
  ),
});

/** Bounds of the intake. */
export const INTAKE = z.strictObject({
  messageBytes: whole(I.messageBytes, 'bytes', 64 * KIB, GIB, 'One message of a stream.'),
  sharePoints: whole(I.sharePoints, 'points', 1, SHARE_POINTS_LIMIT, "Points of a batch's share of one partition."),
  shareSketches: whole(
    I.shareSketches,
    'sketches',
    0,
    SHARE_SKETCHES_LIMIT,
    "Sketches of a batch's share of one partition.",
  ),
  sketchBytes: whole(I.sketchBytes, 'bytes', 64, DEFAULT_SHARE_LIMITS.sketchBytes, 'One packed sketch.'),
  dictionaryRefs: whole(I.dictionaryRefs, 'series', 1, DICTIONARY_REFS_LIMIT, 'Series of one client in one partition.'),
  definitionsPerMessage: whole(I.definitionsPerMessage, 'series', 1, 1_000_000, 'Series defined by one message.'),
  laneQueueBytes: whole(
    I.laneQueueBytes,
    'bytes',
    MIB,
    4 * GIB,
    'Bytes queued for one partition; above this the intake answers `retry`.',
  ),
  queueBytes: whole(
    I.queueBytes,
    'bytes',
    MIB,
    64 * GIB,
    'Bytes queued for all partitions; above this the intake stops reading streams.',
  ),
  streams: whole(I.streams, 'streams', 1, 1_000_000, 'Open streams.'),
  streamsPerTenant: whole(I.streamsPerTenant, 'streams', 1, 1_000_000, 'Open streams per tenant.'),
  definitionsPerTenant: whole(
    I.definitionsPerTenant,
    'series',
    1,
    100_000_000,
    'Series that the open streams of one tenant define; further series are refused.',
  ),
  definitionBytesPerTenant: whole(
    I.definitionBytesPerTenant,
    'bytes',
    1024,
    64 * GIB,
    'Names and tags of the series that the open streams of one tenant define.',
  ),
  window: whole(I.window, 'batches', 1, 1024, 'Unsettled batches that a client may have in flight.'),
  stampAgeMs: whole(
    I.stampAgeMs,
    'ms',
    60_000,
    PROTOCOL_TIMES.retentionMs,
    'A batch that was first sent longer ago than this is refused.',
  ),
  haltedMs: whole(
    I.haltedMs,
    'ms',
    0,
    7 * DAY_MS,
    'A partition whose stores have been halted for longer than this accepts no points: its senders get `retry`.',
  ),
});

/** Blocks of a lane, which carries one session's points into one partition. */
export const LANE = z.strictObject({
  fillBytes: whole(T.fillBytes, 'bytes', 1024, 64 * MIB, 'A block is appended when this many bytes wait for it.'),
  lingerMs: whole(T.lingerMs, 'ms', 0, 10_000, 'A block is appended when its oldest points have waited this long.'),
  blockBytes: whole(T.blockBytes, 'bytes', 64 * KIB, 64 * MIB, 'Size of a block, unless one share alone is larger.'),
  blockPoints: whole(T.blockPoints, 'points', 1000, 10_000_000, 'Points of a block, unless one share alone has more.'),
  markMs: whole(T.markMs, 'ms', 10, 60_000, 'Time between two marks of an idle lane.'),
  appendMs: whole(
    T.appendMs,
    'ms',
    1000,
    600_000,
    'A lane that cannot append for this long ends; the other lanes of its session continue.',
  ),
  openDelayMs: whole(T.openDelayMs, 'ms', 0, 60_000, 'A lane accepts points this long after it was opened.'),
  epochMs: whole(T.epochMs, 'ms', 1000, DAY_MS, 'A lane restarts its dictionaries after this long.'),
  epochRefs: whole(
    T.epochRefs,
    'series',
    1000,
    100_000_000,
    'A lane restarts its dictionaries after this many definitions, once half of them are of clients that have left.',
  ),
});
