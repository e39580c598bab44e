import { decodeContent } from './content-coding.ts';
import { readJsonPayload } from './json-payload.ts';
import type { KnownSeries } from './known-series.ts';
import type { DatadogLimits } from './limits.ts';
import type { PointSink } from './point-sink.ts';
import { readProtobufPayload } from './protobuf-payload.ts';
import { wrongHeader } from './request-refusal.ts';

type PayloadFormat = 'application/json' | 'application/x-protobuf' | 'application/protobuf';
type PayloadReader = (body: Buffer, sink: PointSink, limits: DatadogLimits, known?: KnownSeries) => void;

/** Readers of metric payloads, by media type. */
const FORMATS: Readonly<Record<PayloadFormat, PayloadReader>> = {
  'application/json': readJsonPayload,
  'application/x-protobuf': readProtobufPayload,
  'application/protobuf': readProtobufPayload,
};

/** A body of `POST /api/v2/series`, and the headers that describe it. */
export interface PayloadRequest {
  readonly body: Buffer;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
}

/**
 * Decodes a body into points in two steps: this function decodes the bytes, off the main thread; the returned function
 * passes the points to a sink. Both throw `invalid_argument` with the reason of `RequestRefusal`. When the second one
 * throws, the sink has a part of the body: discard the sink. With `known`, whose handles must be of the same sink,
 * series that were sent before are not named to the sink again.
 */
export async function openPayload(
  { body, contentType, contentEncoding }: PayloadRequest,
  limits: DatadogLimits,
): Promise<(sink: PointSink, known?: KnownSeries) => void> {
  const read = FORMATS[formatOf(contentType)];
  const content = await decodeContent(body, contentEncoding, limits.decodedBytes);
  return (sink, known) => read(content, sink, limits, known);
}

/** Returns the format of a content type. Without a content type it is JSON, as in Datadog's API. */
function formatOf(contentType = 'application/json'): PayloadFormat {
  const mediaType = contentType.split(';', 1)[0].trim().toLowerCase();
  if (isFormat(mediaType)) return mediaType;
  const formats = Object.keys(FORMATS).join(', ');
  throw wrongHeader('content-type', contentType.trim(), formats, "; with curl add -H 'content-type: application/json'");
}

function isFormat(mediaType: string): mediaType is PayloadFormat {
  return Object.hasOwn(FORMATS, mediaType);
}
