import type { SlicedWork } from '@tidemark/ports';
import { isPresent, numberOf, shownValue } from './json-body.ts';
import { pairOf, readMetric, readSeriesList, timeOf } from './json-series.ts';
import { readTag, readTags } from './json-tags.ts';
import type { KnownSeries } from './known-series.ts';
import type { DatadogLimits } from './limits.ts';
import type { PointSink } from './point-sink.ts';
import { DATADOG_TYPE, type SeriesDraft } from './series-draft.ts';

/** Types by name. `counter` is the name of old clients for a count. */
const TYPES: Readonly<Record<string, number>> = {
  '': DATADOG_TYPE.unspecified,
  gauge: DATADOG_TYPE.gauge,
  count: DATADOG_TYPE.count,
  counter: DATADOG_TYPE.count,
  rate: DATADOG_TYPE.rate,
};

/**
 * Reads the JSON of `POST /api/v1/series`: `{"series": [{"metric", "type", "points": [[seconds, value]], "tags", "host",
 * "device", "interval"}]}`, with types by name. Throws and refuses as `readJsonPayload`.
 */
export function readSeriesV1(
  body: Buffer,
  sink: PointSink,
  limits: DatadogLimits,
  known?: KnownSeries,
): SlicedWork<void> {
  return readSeriesList(body, { sink, limits, known }, { fields: readFields, points: readPoints });
}

function readFields(series: Readonly<Record<string, unknown>>, draft: SeriesDraft): void {
  const { metric, type, interval, tags, host, device } = series;
  readMetric(metric, draft);
  if (isPresent(type)) readType(type, draft);
  if (isPresent(interval)) draft.interval = numberOf(interval);
  readTags(tags, draft);
  readTag('host', host, draft);
  readTag('device', device, draft);
}

function readPoints(points: readonly unknown[], draft: SeriesDraft): void {
  for (const point of points) {
    const [seconds, value] = pairOf(point);
    draft.point(timeOf(seconds, draft), numberOf(value));
  }
}

function readType(type: unknown, draft: SeriesDraft): void {
  const name = typeof type === 'string' ? type.toLowerCase() : undefined;
  if (name !== undefined && Object.hasOwn(TYPES, name)) {
    draft.type = TYPES[name];
    return;
  }
  draft.typeFound = shownValue(type);
  draft.refuse('type_unknown', 'type', 'gauge, count or rate');
}
