import { decodeContent } from './content-coding.ts';
import { readJsonPayload } from './json-payload.ts';
import type { KnownSeries } from './known-series.ts';
import type { DatadogLimits } from './limits.ts';
import type { PointSink } from './point-sink.ts';
import { readProtobufPayload } from './protobuf-payload.ts';
import { requestRefusal } from './refusal.ts';

type PayloadFormat = 'application/json' | 'application/x-protobuf' | 'application/protobuf';
type PayloadReader = (body: Buffer, sink: PointSink, limits: DatadogLimits, known?: KnownSeries) => void;

/** What a metric payload is written in, by the media type that says so. */
const FORMATS: Readonly<Record<PayloadFormat, PayloadReader>> = {
  'application/json': readJsonPayload,
  'application/x-protobuf': readProtobufPayload,
  'application/protobuf': readProtobufPayload,
};

/** A body of `POST /api/v2/series` and what its headers say of it. */
export interface PayloadRequest {
  readonly body: Buffer;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
}

/**
 * Decodes a body into points, in two steps: bytes here, off the main thread; points when the returned function is
 * called with their sink. Both throw `invalid_argument` with the reason of `RequestRefusal`. A sink that was called
 * before the second one threw has a part of the body and is to be thrown away. `known` spares the names of series
 * that were sent before; its handles must be of the same sink.
 */
export async function openPayload(
  { body, contentType, contentEncoding }: PayloadRequest,
  limits: DatadogLimits,
): Promise<(sink: PointSink, known?: KnownSeries) => void> {
  const read = FORMATS[formatOf(contentType)];
  const content = await decodeContent(body, contentEncoding, limits.decodedBytes);
  return (sink, known) => read(content, sink, limits, known);
}

/** Without a content type it is JSON, as Datadog takes it. */
function formatOf(contentType = 'application/json'): PayloadFormat {
  const mediaType = contentType.split(';', 1)[0].trim().toLowerCase();
  if (isFormat(mediaType)) return mediaType;
  const taken = Object.keys(FORMATS).join(', ');
  throw requestRefusal('content_type', 'content-type', taken, 'not one that is taken');
}

function isFormat(mediaType: string): mediaType is PayloadFormat {
  return Object.hasOwn(FORMATS, mediaType);
}
