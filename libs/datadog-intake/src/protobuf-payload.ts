import type { DatadogLimits } from './limits.ts';
import type { PointSink } from './point-sink.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import { SeriesDraft } from './series-draft.ts';

/** Field numbers of `MetricPayload` (DataDog/agent-payload, proto/metrics/agent_payload.proto). */
const PAYLOAD = { series: 1 } as const;
const SERIES = { resources: 1, metric: 2, tags: 3, points: 4, type: 5, interval: 8 } as const;
const RESOURCE = { type: 1, name: 2 } as const;
const POINT = { value: 1, timestamp: 2 } as const;

/**
 * Reads the protobuf of `POST /api/v2/series`, as agents send it. Throws `invalid_argument` if the bytes are no such
 * message, after what came before it may have reached the sink; a series or point that is wrong is refused by itself.
 */
export function readProtobufPayload(body: Buffer, sink: PointSink, limits: DatadogLimits): void {
  const reader = new ProtobufReader(body);
  const draft = new SeriesDraft(sink, limits);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== PAYLOAD.series) {
      reader.skip();
      continue;
    }
    const outer = reader.enter();
    draft.begin();
    readSeries(reader, draft);
    draft.end();
    reader.leave(outer);
  }
}

function readSeries(reader: ProtobufReader, draft: SeriesDraft): void {
  for (let field = reader.next(); field !== 0; field = reader.next()) {
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
      case SERIES.points:
        readPoint(reader, draft);
        break;
      case SERIES.type:
        draft.type = reader.int64();
        break;
      case SERIES.interval:
        draft.interval = reader.int64();
        break;
      default:
        reader.skip();
    }
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
