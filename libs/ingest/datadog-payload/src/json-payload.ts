import type { SlicedWork } from '@tidemark/ports';
import { isObject, isPresent, listOf, numberOf, shownValue } from './json-body.ts';
import { readMetric, readSeriesList, timeOf } from './json-series.ts';
import { readTags } from './json-tags.ts';
import type { KnownSeries } from './known-series.ts';
import type { DatadogLimits } from './limits.ts';
import type { PointSink } from './point-sink.ts';
import type { SeriesDraft } from './series-draft.ts';

/**
 * Reads the JSON of `POST /api/v2/series`: `{"series": [{"metric", "type", "points": [{"timestamp", "value"}], "tags",
 * "resources": [{"type", "name"}], "interval", "unit"}]}`. Throws `invalid_argument` if the body as a whole has another
 * form. A wrong series or point is refused alone. With `known`, which has handles of the same sink, series that were sent
 * before are not named to the sink again.
 */
export function readJsonPayload(
  body: Buffer,
  sink: PointSink,
  limits: DatadogLimits,
  known?: KnownSeries,
): SlicedWork<void> {
  return readSeriesList(body, { sink, limits, known }, { fields: readFields, points: readPoints });
}

function readFields(series: Readonly<Record<string, unknown>>, draft: SeriesDraft): void {
  const { metric, type, unit, interval, tags, resources } = series;
  readMetric(metric, draft);
  if (isPresent(type)) {
    draft.type = numberOf(type);
    if (Number.isNaN(draft.type)) draft.typeFound = shownValue(type);
  }
  if (typeof unit === 'string') draft.unit = unit;
  if (isPresent(interval)) draft.interval = numberOf(interval);
  readTags(tags, draft);
  if (isPresent(resources)) readResources(resources, draft);
}

function readPoints(points: readonly unknown[], draft: SeriesDraft): void {
  for (const point of points) readPoint(point, draft);
}

function readResources(resources: unknown, draft: SeriesDraft): void {
  for (const resource of listOf(resources)) {
    const { type, name } = isObject(resource) ? resource : {};
    if (typeof type === 'string' && typeof name === 'string') draft.resource(type, name);
    else draft.refuse('resources_invalid', 'resources', 'a list of {type, name}');
  }
}

function readPoint(point: unknown, draft: SeriesDraft): void {
  if (isObject(point)) draft.point(timeOf(point.timestamp, draft), numberOf(point.value));
  else draft.refusePoint('points_invalid', 'points', 'objects {timestamp, value}; version 1 has [timestamp, value]');
}
