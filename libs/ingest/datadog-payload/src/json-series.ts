import type { SlicedWork } from '@tidemark/ports';
import { isObject, SLICE_BYTES } from './json-body.ts';
import { eachSeries } from './json-elements.ts';
import type { KnownSeries } from './known-series.ts';
import type { DatadogLimits } from './limits.ts';
import type { PointSink } from './point-sink.ts';
import { SeriesDraft } from './series-draft.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** Where the points of a body go. With `known`, series that were sent before are not named to the sink again. */
export interface SeriesTarget {
  readonly sink: PointSink;
  readonly limits: DatadogLimits;
  readonly known: KnownSeries | undefined;
  /** The kind of all series of the protocol; the type of each when omitted. */
  readonly kind?: 'distribution';
}

/** Each point of a distribution becomes a sketch, which takes more work than a number. */
const DISTRIBUTION_SLICE_BYTES = SLICE_BYTES / 8;

/** Reads each series of a body with `readOne`. Throws `invalid_argument` if the body as a whole has another form. */
export function* readSeriesList(
  body: Buffer,
  { sink, limits, known, kind }: SeriesTarget,
  readOne: (series: JsonObject, draft: SeriesDraft) => void,
): SlicedWork<void> {
  const draft = new SeriesDraft(sink, limits, known?.names);
  const read = (one: unknown): void => {
    draft.begin(kind);
    if (isObject(one)) readOne(one, draft);
    else draft.refuse('series_invalid', 'series', 'an object');
    draft.end();
  };
  yield* eachSeries(body, limits, read, kind === 'distribution' ? DISTRIBUTION_SLICE_BYTES : SLICE_BYTES);
}

/** Reads the name of the metric, in any form of series. */
export function readMetric(metric: unknown, draft: SeriesDraft): void {
  if (typeof metric === 'string') draft.metric = metric;
  else draft.refuse('metric_invalid', 'metric', 'a string');
}

/** Returns points `[seconds, value]`; a point of another form has neither. */
export function pointsOf(points: unknown, draft: SeriesDraft): readonly (readonly unknown[])[] {
  if (Array.isArray(points)) return points.map((point) => (Array.isArray(point) ? point : []));
  draft.refuse('points_invalid', 'points', 'a list');
  return [];
}
