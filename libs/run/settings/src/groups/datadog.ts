import { DEFAULT_DATADOG_LIMITS } from '@tidemark/datadog-payload/limits';
import * as z from 'zod';
import { GIB, KIB, MIB, whole } from '../setting.ts';

const D = DEFAULT_DATADOG_LIMITS;

/** Metrics of Datadog's agents and API clients. */
export const DATADOG = z.strictObject({
  bodyBytes: whole(D.bodyBytes, 'bytes', KIB, GIB, "A request's body as it comes, compressed or not."),
  decodedBytes: whole(D.decodedBytes, 'bytes', KIB, GIB, '…and decompressed; decompressing ends there.'),
  jsonDepth: whole(D.jsonDepth, 'levels', 5, 1000, 'Objects and lists within one another, in JSON.'),
  jsonValues: whole(D.jsonValues, 'values', 1, 100_000_000, 'Numbers, texts, objects and lists of a body of JSON.'),
  series: whole(D.series, 'series', 1, 10_000_000, 'Series of one request.'),
  points: whole(D.points, 'points', 1, 10_000_000, 'Points of one request; `requests.requestPoints` bounds them too.'),
  seriesTags: whole(
    D.seriesTags,
    'tags',
    1,
    10_000,
    'Tags and resources of a series as sent, repeated ones too; `point.tags` bounds what is left.',
  ),
  intervalS: whole(D.intervalS, 's', 1, 366 * 86_400, 'Longest interval of a rate.'),
  rememberedBytes: whole(
    D.rememberedBytes,
    'bytes',
    MIB,
    3 * GIB,
    'Series remembered: of all tenants from protobuf, where who has most of them starts over then, and of each from JSON.',
  ),
});
