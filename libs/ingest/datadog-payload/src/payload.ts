import type { SlicedWork } from '@tidemark/ports';
import { decodeContent } from './content-coding.ts';
import { readChecks } from './json-checks.ts';
import { readDistributions } from './json-distributions.ts';
import { readJsonPayload } from './json-payload.ts';
import { readSeriesV1 } from './json-series-v1.ts';
import type { KnownSeries } from './known-series.ts';
import type { DatadogLimits } from './limits.ts';
import type { PointSink } from './point-sink.ts';
import { readProtobufPayload } from './protobuf-payload.ts';
import { readSketches } from './protobuf-sketches.ts';
import { wrongHeader } from './request-refusal.ts';

type PayloadReader = (
  body: Buffer,
  sink: PointSink,
  limits: DatadogLimits,
  known: KnownSeries | undefined,
  receivedMs: number,
) => SlicedWork<void>;

/** Clients of version 1 call JSON `text/json`. */
const json = (reader: PayloadReader) => ({ 'application/json': reader, 'text/json': reader });
const protobuf = (reader: PayloadReader) => ({ 'application/x-protobuf': reader, 'application/protobuf': reader });

/** Readers of bodies by what they contain, then by media type. The first media type is the default. */
const FORMS = {
  seriesV1: json(readSeriesV1),
  seriesV2: { ...json(readJsonPayload), ...protobuf(readProtobufPayload) },
  distributions: json(readDistributions),
  sketches: protobuf(readSketches),
  checks: json(readChecks),
} as const;

/** What a body contains; each has its own path. */
export type PayloadForm = keyof typeof FORMS;

/** A body, and what describes it. */
export interface PayloadRequest {
  readonly form: PayloadForm;
  readonly body: Buffer;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  /** Time of receipt, ms since the epoch: of data whose sender left out the time. */
  readonly receivedMs: number;
}

/**
 * Decodes a body into points in two steps: this function decodes the bytes, off the main thread; the returned function
 * passes the points to a sink, in slices. Both throw `invalid_argument` with the reason of `RequestRefusal`. When the second
 * one throws, the sink has a part of the body: discard the sink. With `known`, whose handles must be of the same sink,
 * series that were sent before are not named to the sink again.
 */
export async function openPayload(
  { form, body, contentType, contentEncoding, receivedMs }: PayloadRequest,
  limits: DatadogLimits,
): Promise<(sink: PointSink, known?: KnownSeries) => SlicedWork<void>> {
  const read = readerOf(FORMS[form], contentType);
  const content = await decodeContent(body, contentEncoding, limits.decodedBytes);
  return (sink, known) => read(content, sink, limits, known, receivedMs);
}

/** Returns the reader of a content type. Without a content type it is the first one, as in Datadog's API. */
function readerOf(readers: Readonly<Record<string, PayloadReader>>, contentType: string | undefined): PayloadReader {
  const [first] = Object.keys(readers);
  const mediaType = (contentType ?? first).split(';', 1)[0].trim().toLowerCase();
  if (Object.hasOwn(readers, mediaType)) return readers[mediaType];
  const formats = Object.keys(readers).join(', ');
  throw wrongHeader('content-type', (contentType ?? '').trim(), formats, `; with curl add -H 'content-type: ${first}'`);
}
