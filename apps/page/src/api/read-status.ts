import type {
  ClientStatus,
  LaneStatus,
  PipelineStatus,
  PointPartitionStatus,
  RefusedData,
  SessionStatus,
  TagPartitionStatus,
} from './api-types.ts';
import { JsonReader } from './json-reader.ts';
import { readGaps, readPartErrors } from './read-answers.ts';

/** Reads the answer of `/api/tidemark/v1/status`: `StatusReply` of the contract, ids in hex. */
export function readStatus(json: unknown): PipelineStatus {
  const reader = new JsonReader(json);
  return {
    points: reader.objects('points').map(readPointPartition).sort(byPartition),
    tags: reader.objects('tags').map(readTagPartition).sort(byPartition),
    sessions: reader.objects('sessions').map(readSession),
    latenessMs: reader.number('lateness_ms'),
    nowMs: reader.number('now_ms'),
    errors: readPartErrors(reader),
    mapEpoch: reader.number('map_epoch'),
  };
}

function byPartition(a: { readonly partition: number }, b: { readonly partition: number }): number {
  return a.partition - b.partition;
}

function readPointPartition(reader: JsonReader): PointPartitionStatus {
  return {
    partition: reader.number('partition'),
    offset: reader.number('offset'),
    committedOffset: reader.number('committed_offset'),
    logNext: reader.number('log_next'),
    watermarkMs: reader.numberIfKnown('watermark_ms'),
    lanes: reader.objects('lanes').map(readLane),
    clients: reader.objects('clients').map(readClient),
    gaps: readGaps(reader),
    halted: reader.text('halted'),
    haltedOffset: reader.number('halted_offset'),
    series: reader.number('series'),
    points: reader.number('points'),
    latePoints: reader.number('late_points'),
    duplicatePoints: reader.number('duplicate_points'),
  };
}

function readTagPartition(reader: JsonReader): TagPartitionStatus {
  return {
    partition: reader.number('partition'),
    offset: reader.number('offset'),
    committedOffset: reader.number('committed_offset'),
    logNext: reader.number('log_next'),
    series: reader.number('series'),
    metrics: reader.number('metrics'),
    gaps: readGaps(reader),
    halted: reader.text('halted'),
    haltedOffset: reader.number('halted_offset'),
  };
}

function readLane(reader: JsonReader): LaneStatus {
  return {
    session: reader.text('session'),
    lane: reader.number('lane'),
    open: reader.flag('open'),
    markMs: reader.number('mark_ms'),
    sequence: reader.number('sequence'),
  };
}

function readClient(reader: JsonReader): ClientStatus {
  return {
    clientSession: reader.text('client_session'),
    tenant: reader.text('tenant'),
    floor: reader.number('floor'),
    highestSequence: reader.number('highest_sequence'),
    frontierMs: reader.numberIfKnown('frontier_ms'),
    latePoints: reader.number('late_points'),
  };
}

function readSession(reader: JsonReader): SessionStatus {
  return {
    session: reader.text('session'),
    process: reader.text('process'),
    state: reader.text('state'),
    renewedMs: reader.number('renewed_ms'),
    streams: reader.number('streams'),
    queuedBytes: reader.number('queued_bytes'),
    rejectedPoints: reader.counts('rejected_points'),
    refused: reader.objects('refused').map(readRefused),
    clientNames: reader.textsByName('client_names'),
    unknownReason: reader.text('not_told'),
  };
}

function readRefused(reader: JsonReader): RefusedData {
  return {
    stage: reader.text('stage'),
    client: reader.text('client'),
    reason: reader.text('reason'),
    count: reader.number('count'),
    example: reader.text('example'),
  };
}
