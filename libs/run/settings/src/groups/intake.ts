import { DEFAULT_INTAKE_LIMITS, DEFAULT_LANE_TIMING } from '@tidemark/intake/limits';
import { DAY_MS, DEFAULT_POINT_LIMITS } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import * as z from 'zod';
import { GIB, KIB, MIB, whole } from '../setting.ts';

const P = DEFAULT_POINT_LIMITS;
const I = DEFAULT_INTAKE_LIMITS;
const T = DEFAULT_LANE_TIMING;

/** What a point may look like. */
export const POINT = z.strictObject({
  metricBytes: whole(P.metricBytes, 'bytes', 1, 4096, 'Name of a metric, in UTF-8.'),
  tagBytes: whole(P.tagBytes, 'bytes', 1, 4096, 'One tag, `key:value`, in UTF-8.'),
  tags: whole(P.tags, 'tags', 0, 1000, 'Tags of one series.'),
  tenantBytes: whole(P.tenantBytes, 'bytes', 1, 255, 'Name of a tenant, in UTF-8.'),
  aheadMs: whole(P.aheadMs, 'ms', 0, DAY_MS, 'How far ahead of the intake a timestamp may be.'),
  behindMs: whole(P.behindMs, 'ms', 0, 3650 * DAY_MS, 'How far behind the intake a timestamp may be.'),
});

/** Bounds of the intake. */
export const INTAKE = z.strictObject({
  messageBytes: whole(I.messageBytes, 'bytes', 64 * KIB, GIB, 'One message of a stream.'),
  sharePoints: whole(I.sharePoints, 'points', 1, 10_000_000, "Points of a batch's share of one partition."),
  shareSketches: whole(I.shareSketches, 'sketches', 0, 1_000_000, 'Sketches of one share.'),
  sketchBytes: whole(I.sketchBytes, 'bytes', 64, MIB, 'One packed sketch.'),
  dictionaryRefs: whole(I.dictionaryRefs, 'series', 1, 100_000_000, 'Series of one client in one partition.'),
  definitionsPerMessage: whole(I.definitionsPerMessage, 'series', 1, 1_000_000, 'Series defined by one message.'),
  laneQueueBytes: whole(
    I.laneQueueBytes,
    'bytes',
    MIB,
    4 * GIB,
    'Queued for one partition; beyond, it answers «retry».',
  ),
  queueBytes: whole(I.queueBytes, 'bytes', MIB, 64 * GIB, 'Queued for all partitions; beyond, streams are not read.'),
  streams: whole(I.streams, 'streams', 1, 1_000_000, 'Streams open at once…'),
  streamsPerTenant: whole(I.streamsPerTenant, 'streams', 1, 1_000_000, '…and of one tenant.'),
  definitionsPerTenant: whole(
    I.definitionsPerTenant,
    'series',
    1,
    100_000_000,
    'Series that the open streams of one tenant define; further ones are refused.',
  ),
  definitionBytesPerTenant: whole(
    I.definitionBytesPerTenant,
    'bytes',
    1024,
    64 * GIB,
    'Names and tags of these series.',
  ),
  window: whole(I.window, 'batches', 1, 1024, 'Unsettled batches that a client may have sent.'),
  stampAgeMs: whole(
    I.stampAgeMs,
    'ms',
    60_000,
    PROTOCOL_TIMES.retentionMs,
    'A batch first sent longer ago is refused.',
  ),
});

/** How a lane, one session's way into one partition, fills its blocks. */
export const LANE = z.strictObject({
  fillBytes: whole(T.fillBytes, 'bytes', 1024, 64 * MIB, 'A block goes out when this much waits for it…'),
  lingerMs: whole(T.lingerMs, 'ms', 0, 10_000, '…or when the oldest has waited this long.'),
  blockBytes: whole(
    T.blockBytes,
    'bytes',
    64 * KIB,
    64 * MIB,
    'No block takes more, unless one share alone is larger.',
  ),
  blockPoints: whole(T.blockPoints, 'points', 1000, 10_000_000, '…nor more points.'),
  markMs: whole(T.markMs, 'ms', 10, 60_000, 'An idle lane marks this often.'),
  appendMs: whole(T.appendMs, 'ms', 1000, 600_000, 'A lane that can not append for this long ends alone.'),
  openDelayMs: whole(T.openDelayMs, 'ms', 0, 60_000, 'Nothing is taken before this long after a lane opened.'),
  epochMs: whole(T.epochMs, 'ms', 1000, DAY_MS, 'Dictionaries begin anew after this long…'),
  epochRefs: whole(T.epochRefs, 'series', 1000, 100_000_000, '…or this many definitions.'),
});
