import { ByteWriter } from '@tidemark/bytes';
import { DDSketch, packSketch } from '@tidemark/sketch';
import { isObject, listOf, numberOf, parseSeriesList, shownValue } from './json-body.ts';
import { pointsOf, readMetric } from './json-series-v1.ts';
import { readTag, readTags } from './json-tags.ts';
import type { KnownSeries } from './known-series.ts';
import type { DatadogLimits } from './limits.ts';
import type { PointSink } from './point-sink.ts';
import { SeriesDraft } from './series-draft.ts';

const out = new ByteWriter();

/**
 * Reads the JSON of `POST /api/v1/distribution_points`: `{"series": [{"metric", "points": [[seconds, [value, …]]], "tags",
 * "host"}]}`. The values of a point become one sketch. Throws and refuses as `readJsonPayload`; a wrong value is
 * refused alone, and counts as a point.
 */
export function readDistributions(body: Buffer, sink: PointSink, limits: DatadogLimits, known?: KnownSeries): void {
  const draft = new SeriesDraft(sink, limits, known?.names);
  for (const one of parseSeriesList(body, limits)) {
    draft.begin('distribution');
    readSeries(one, draft);
    draft.end();
  }
}

function readSeries(series: unknown, draft: SeriesDraft): void {
  if (!isObject(series)) {
    draft.refuse('series_invalid', 'series', 'an object');
    return;
  }
  const { metric, type = 'distribution', tags, host, points } = series;
  readMetric(metric, draft);
  if (type !== 'distribution' && type !== null) {
    draft.typeFound = shownValue(type);
    draft.refuse('type_unknown', 'type', 'distribution');
  }
  readTags(tags, draft);
  readTag('host', host, draft);
  for (const [seconds, values] of pointsOf(points, draft)) {
    const sketch = sketchOf(listOf(values), draft);
    if (sketch.count === 0) continue;
    packSketch(sketch, out);
    draft.sketch(numberOf(seconds), out.take());
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
