import { DEFAULT_DATADOG_LIMITS } from '@tidemark/datadog-payload/limits';
import * as z from 'zod';
import { GIB, KIB, MIB, whole } from '../setting.ts';

const D = DEFAULT_DATADOG_LIMITS;

/** Metrics of Datadog's agents and API clients. */
export const DATADOG = z.strictObject({
  bodyBytes: whole(D.bodyBytes, 'bytes', KIB, GIB, "A request's body as received, compressed or not."),
  decodedBytes: whole(D.decodedBytes, 'bytes', KIB, GIB, "A request's decompressed body; decompression ends there."),
  jsonDepth: whole(D.jsonDepth, 'levels', 5, 1000, 'Nested objects and lists in JSON.'),
  jsonValues: whole(D.jsonValues, 'values', 1, 100_000_000, 'Numbers, texts, objects and lists of a JSON body.'),
  jsonElementBytes: whole(
    D.jsonElementBytes,
    'bytes',
    65_536,
    64 * MIB,
    'A series of JSON without its points, a check, and a JSON body without its list.',
  ),
  series: whole(D.series, 'series', 1, 10_000_000, 'Series of one request.'),
  points: whole(D.points, 'points', 1, 10_000_000, 'Points of one request; `requests.requestPoints` also applies.'),
  sketches: whole(
    D.sketches,
    'points',
    1,
    1_000_000,
    'Points of distributions of one request, each of which is a sketch.',
  ),
  seriesTags: whole(
    D.seriesTags,
    'tags',
    1,
    10_000,
    'Tags and resources of a series as sent, with repetitions; `point.tags` bounds the distinct ones.',
  ),
  intervalS: whole(D.intervalS, 's', 1, 366 * 86_400, 'Longest interval of a rate.'),
  rememberedBytes: whole(
    D.rememberedBytes,
    'bytes',
    MIB,
    3 * GIB,
    'Cache of series: one for all tenants for protobuf, in which the tenant with the most series starts over when it is full, and one per tenant for JSON.',
  ),
});
