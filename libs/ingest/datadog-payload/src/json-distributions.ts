import { ByteWriter } from '@tidemark/bytes';
import type { SlicedWork } from '@tidemark/ports';
import { DDSketch, packSketch } from '@tidemark/sketch';
import { listOf, shownValue } from './json-body.ts';
import { pairOf, readMetric, readSeriesList, timeOf } from './json-series.ts';
import { readTag, readTags } from './json-tags.ts';
import type { KnownSeries } from './known-series.ts';
import type { DatadogLimits } from './limits.ts';
import type { PointSink } from './point-sink.ts';
import type { SeriesDraft } from './series-draft.ts';

const out = new ByteWriter();

/**
 * Reads the JSON of `POST /api/v1/distribution_points`: `{"series": [{"metric", "points": [[seconds, [value, …]]], "tags",
 * "host"}]}`. The values of a point become one sketch. Throws and refuses as `readJsonPayload`; a wrong value is
 * refused alone, and counts as a point.
 */
export function readDistributions(
  body: Buffer,
  sink: PointSink,
  limits: DatadogLimits,
  known?: KnownSeries,
): SlicedWork<void> {
  const target = { sink, limits, known, kind: 'distribution' } as const;
  return readSeriesList(body, target, { fields: readFields, points: readPoints });
}

function readFields(series: Readonly<Record<string, unknown>>, draft: SeriesDraft): void {
  const { metric, type = 'distribution', tags, host } = series;
  readMetric(metric, draft);
  if (type !== 'distribution' && type !== null) {
    draft.typeFound = shownValue(type);
    draft.refuse('type_unknown', 'type', 'distribution');
  }
  readTags(tags, draft);
  readTag('host', host, draft);
}

function readPoints(points: readonly unknown[], draft: SeriesDraft): void {
  for (const point of points) {
    const [seconds, values] = pairOf(point);
    const sketch = sketchOf(listOf(values), draft);
    if (sketch.count === 0) continue;
    packSketch(sketch, out);
    draft.sketch(timeOf(seconds, draft), out.take());
  }
}

function sketchOf(values: readonly unknown[], draft: SeriesDraft): DDSketch {
  const sketch = new DDSketch();
  if (values.length === 0) draft.badValue();
  for (const value of values) {
    if (typeof value !== 'number') draft.badValue();
    else if (Number.isFinite(value)) sketch.insert(value);
    else draft.refusePoint('value_infinite', 'points.value', 'a finite number');
  }
  return sketch;
}
