import type { SlicedWork } from '@tidemark/ports';
import { UNKNOWN } from '@tidemark/series-memory';
import { SLICE_BYTES } from './json-body.ts';
import type { KnownSeries } from './known-series.ts';
import type { DatadogLimits } from './limits.ts';
import type { NameBytes } from './name-bytes.ts';
import type { PointSink } from './point-sink.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import { SeriesDraft } from './series-draft.ts';

/** Field numbers of `MetricPayload` (DataDog/agent-payload, proto/metrics/agent_payload.proto). */
const PAYLOAD = { series: 1 } as const;
const SERIES = { resources: 1, metric: 2, tags: 3, points: 4, type: 5, unit: 6, interval: 8 } as const;
const RESOURCE = { type: 1, name: 2 } as const;
const POINT = { value: 1, timestamp: 2 } as const;

/**
 * Reads the protobuf of `POST /api/v2/series`, as agents send it. Throws `invalid_argument` if the bytes are not such a
 * message; the sink may have received the points before the wrong bytes by then. A wrong series or point is refused
 * alone. With `known`, which has handles of the same sink, names of series that were sent before are not decoded.
 */
export function* readProtobufPayload(
  body: Buffer,
  sink: PointSink,
  limits: DatadogLimits,
  known?: KnownSeries,
): SlicedWork<void> {
  const reader = new ProtobufReader(body);
  const draft = new SeriesDraft(sink, limits);
  draft.hasTypedValues = true;
  known?.begin();
  let sliceEnd = SLICE_BYTES;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (reader.position >= sliceEnd) {
      yield;
      sliceEnd = reader.position + SLICE_BYTES;
    }
    if (field !== PAYLOAD.series) {
      reader.skip();
      continue;
    }
    const outer = reader.enter();
    draft.begin();
    if (known === undefined || !readKnown(reader, draft, known)) {
      readNamed(reader, draft);
      known?.add(draft, sink);
    }
    reader.leave(outer);
  }
}

/** Reads a series whose name is known. Returns false, and has no effect, for any other series. */
function readKnown(reader: ProtobufReader, draft: SeriesDraft, known: KnownSeries): boolean {
  const start = reader.position;
  const expected = known.expect(reader.view, start, reader.end);
  if (expected !== UNKNOWN) {
    reader.position = start + known.nameBytes(expected);
    if (readPoints(reader, draft)) {
      known.emit(draft, expected);
      return true;
    }
    draft.restart();
    reader.position = start;
  }
  const entry = known.find(nameOf(reader, known.name));
  reader.position = start;
  if (entry === UNKNOWN) return false;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === SERIES.points) readPoint(reader, draft);
    else reader.skip();
  }
  known.emit(draft, entry);
  return true;
}

/** Reads points up to the end of the series. Returns false at a field that belongs to the name, or without points. */
function readPoints(reader: ProtobufReader, draft: SeriesDraft): boolean {
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === SERIES.points) readPoint(reader, draft);
    else if (isOfName(field)) return false;
    else reader.skip();
  }
  return draft.points > 0;
}

/**
 * Finds the bytes that name a series: those before its points, or, if name fields follow the points, all except the
 * points.
 */
function nameOf(reader: ProtobufReader, name: NameBytes): NameBytes {
  const start = reader.position;
  let pointsAt = 0;
  let isInFront = true;
  let hasPoints = false;
  for (let at = start; at < reader.end; at = reader.position) {
    const field = reader.next();
    reader.skip();
    if (field !== SERIES.points) isInFront &&= !(hasPoints && isOfName(field));
    else if (!hasPoints) {
      hasPoints = true;
      pointsAt = at;
    }
  }
  if (!hasPoints) name.clear();
  else if (isInFront) name.set(reader.view, start, pointsAt - start);
  else gatherName(reader, start, name);
  return name;
}

function gatherName(reader: ProtobufReader, start: number, name: NameBytes): void {
  name.clear();
  reader.position = start;
  let from = start;
  for (let at = start; at < reader.end; at = reader.position) {
    const field = reader.next();
    reader.skip();
    if (field !== SERIES.points) continue;
    if (at > from && !name.append(reader.bytes, from, at)) return;
    from = reader.position;
  }
  if (reader.end > from) name.append(reader.bytes, from, reader.end);
}

/** Reads a series with a decoded name, with its fields in any order. */
function readNamed(reader: ProtobufReader, draft: SeriesDraft): void {
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === SERIES.points) readPoint(reader, draft);
    else readNameField(field, reader, draft);
  }
  draft.end();
}

function isOfName(field: number): boolean {
  switch (field) {
    case SERIES.resources:
    case SERIES.metric:
    case SERIES.tags:
    case SERIES.type:
    case SERIES.unit:
    case SERIES.interval:
      return true;
    default:
      return false;
  }
}

function readNameField(field: number, reader: ProtobufReader, draft: SeriesDraft): void {
  switch (field) {
    case SERIES.resources:
      readResource(reader, draft);
      break;
    case SERIES.metric:
      draft.metric = reader.text();
      break;
    case SERIES.tags:
      draft.tag(reader.text());
      break;
    case SERIES.type:
      draft.type = reader.int64();
      break;
    case SERIES.unit:
      draft.unit = reader.text();
      break;
    case SERIES.interval:
      draft.interval = reader.int64();
      break;
    default:
      reader.skip();
  }
}

function readResource(reader: ProtobufReader, draft: SeriesDraft): void {
  const outer = reader.enter();
  let type = '';
  let name = '';
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === RESOURCE.type) type = reader.text();
    else if (field === RESOURCE.name) name = reader.text();
    else reader.skip();
  }
  reader.leave(outer);
  draft.resource(type, name);
}

function readPoint(reader: ProtobufReader, draft: SeriesDraft): void {
  const outer = reader.enter();
  let value = 0;
  let timeS = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === POINT.value) value = reader.double();
    else if (field === POINT.timestamp) timeS = reader.int64();
    else reader.skip();
  }
  reader.leave(outer);
  draft.point(timeS, value);
}
