import { ByteWriter } from '@tidemark/bytes';
import { isTidemarkError, type SlicedWork } from '@tidemark/ports';
import { fromDatadogSketch, packSketch } from '@tidemark/sketch';
import { SLICE_BYTES } from './json-body.ts';
import type { KnownSeries } from './known-series.ts';
import type { DatadogLimits } from './limits.ts';
import type { PointSink } from './point-sink.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import { SeriesDraft } from './series-draft.ts';

/** Field numbers of `SketchPayload` (DataDog/agent-payload, proto/metrics/agent_payload.proto). */
const PAYLOAD = { sketches: 1 } as const;
const SERIES = { metric: 1, host: 2, distributions: 3, tags: 4, dogsketches: 7 } as const;
const SKETCH = { seconds: 1, count: 2, min: 3, max: 4, sum: 6, keys: 7, counts: 8 } as const;

const out = new ByteWriter();

/**
 * Reads the protobuf of `POST /api/beta/sketches`, as agents send distributions. Throws `invalid_argument` if the bytes
 * are not such a message; the sink may have received the points before the wrong bytes by then. A wrong series or
 * sketch is refused alone.
 */
export function* readSketches(
  body: Buffer,
  sink: PointSink,
  limits: DatadogLimits,
  known?: KnownSeries,
): SlicedWork<void> {
  const reader = new ProtobufReader(body);
  const draft = new SeriesDraft(sink, limits, known?.names);
  let sliceEnd = SLICE_BYTES;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (reader.position >= sliceEnd) {
      yield;
      sliceEnd = reader.position + SLICE_BYTES;
    }
    if (field !== PAYLOAD.sketches) {
      reader.skip();
      continue;
    }
    const outer = reader.enter();
    draft.begin('distribution');
    readSeries(reader, draft);
    draft.end();
    reader.leave(outer);
  }
}

function readSeries(reader: ProtobufReader, draft: SeriesDraft): void {
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case SERIES.metric:
        draft.metric = reader.text();
        break;
      case SERIES.host:
        draft.resource('host', reader.text());
        break;
      case SERIES.tags:
        draft.tag(reader.text());
        break;
      case SERIES.dogsketches:
        readSketch(reader, draft);
        break;
      case SERIES.distributions:
        // The form of agents before version 6: no agent that sends over HTTP today has it.
        draft.refusePoint('distribution_form', 'distributions', 'sketches in dogsketches');
        reader.skip();
        break;
      default:
        reader.skip();
    }
  }
}

function readSketch(reader: ProtobufReader, draft: SeriesDraft): void {
  const outer = reader.enter();
  const sent = { keys: [] as number[], counts: [] as number[], min: 0, max: 0, sum: 0 };
  let seconds = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case SKETCH.seconds:
        seconds = reader.int64();
        break;
      case SKETCH.min:
        sent.min = reader.double();
        break;
      case SKETCH.max:
        sent.max = reader.double();
        break;
      case SKETCH.sum:
        sent.sum = reader.double();
        break;
      case SKETCH.keys:
        reader.integers((value) => sent.keys.push(zigzag(value)));
        break;
      case SKETCH.counts:
        reader.integers((value) => sent.counts.push(value));
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outer);
  try {
    packSketch(fromDatadogSketch(sent), out);
    draft.sketch(seconds, out.take());
  } catch (error) {
    if (!isTidemarkError(error, 'invalid_argument')) throw error;
    draft.refusePoint('sketch_invalid', `dogsketches.${error.detail.field}`, String(error.detail.limit));
  }
}

/** Decodes an integer of protobuf's type `sint32`. */
function zigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
