import type { SlicedWork } from '@tidemark/ports';
import { isObject, numberOf, SLICE_BYTES, shownValue } from './json-body.ts';
import { type ElementReader, eachSeries } from './json-elements.ts';
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

/** How the series of a protocol are read. */
export interface SeriesReader {
  /** Reads all fields of a series but its points. */
  readonly fields: (series: JsonObject, draft: SeriesDraft) => void;
  /** Reads points, or some of them. */
  readonly points: (points: readonly unknown[], draft: SeriesDraft) => void;
}

/** Reads each series of a body. Throws `invalid_argument` if the body as a whole has another form. */
export function* readSeriesList(
  body: Buffer,
  { sink, limits, known, kind }: SeriesTarget,
  read: SeriesReader,
): SlicedWork<void> {
  const draft = new SeriesDraft(sink, limits, known?.names);
  const refused = (limit: string): void => {
    draft.begin(kind);
    draft.refuse('series_invalid', 'series', limit);
    draft.end();
  };
  const begin = (series: JsonObject): void => {
    draft.begin(kind);
    read.fields(series, draft);
  };
  const reader: ElementReader = {
    take: (one) => {
      if (!isObject(one)) return refused('an object');
      begin(one);
      if (Array.isArray(one.points)) read.points(one.points, draft);
      else draft.refuse('points_invalid', 'points', 'a list');
      draft.end();
    },
    refuse: (bytes) => refused(`at most ${bytes} bytes without its list of points`),
    inPieces: { begin, points: (points) => read.points(points, draft), end: () => draft.end() },
  };
  yield* eachSeries(body, limits, reader, kind === 'distribution' ? DISTRIBUTION_SLICE_BYTES : SLICE_BYTES);
}

/** Reads the name of the metric, in any form of series. */
export function readMetric(metric: unknown, draft: SeriesDraft): void {
  if (typeof metric === 'string') draft.metric = metric;
  else draft.refuse('metric_invalid', 'metric', 'a string');
}

/** Returns a point `[seconds, value]`; one of another form has neither. */
export function pairOf(point: unknown): readonly unknown[] {
  return Array.isArray(point) ? point : [];
}

/** Returns a time in seconds; NaN for another value, which the draft has for the message. */
export function timeOf(value: unknown, draft: SeriesDraft): number {
  const timeS = numberOf(value);
  if (Number.isNaN(timeS)) draft.timeFound ??= value === undefined ? 'missing' : shownValue(value);
  return timeS;
}
