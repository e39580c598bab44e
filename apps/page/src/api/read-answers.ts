import type { SentUnit } from '../format/sent-unit.ts';
import type { AnswerSeries, Gap, MetricInfo, MetricList, PartError, QueryAnswer, TagKey } from './api-types.ts';
import { JsonReader, listOf, number, objectOf, text, texts } from './json-reader.ts';
import type { MetricMeaning } from './metric-meaning.ts';

/** Reads the answer of `/api/v1/query`: Datadog's v1 shape, with completeness in addition. */
export function readQueryAnswer(json: unknown): QueryAnswer {
  const reader = new JsonReader(json);
  const completeThroughS = reader.numberIfKnown('complete_through');
  return {
    series: reader.objects('series').map(readSeries),
    completeThroughMs: completeThroughS === undefined ? undefined : completeThroughS * 1_000,
    errors: readPartErrors(reader),
    gaps: listOf(readGap)(reader, 'gaps'),
    notes: reader.texts('notes'),
  };
}

function readSeries(reader: JsonReader): AnswerSeries {
  return {
    metric: reader.text('metric'),
    expression: reader.text('expression'),
    scope: reader.text('scope'),
    tags: reader.texts('tag_set'),
    intervalMs: Math.max(1, reader.number('interval')) * 1_000,
    points: reader.list('pointlist').flatMap(readPoint),
    completeSteps: reader.number('complete_length'),
    unit: readUnit(reader),
  };
}

/** Reads Datadog's pair of units: that of the amount, and that of the time of a rate. */
function readUnit(reader: JsonReader): SentUnit | undefined {
  const [unit, per] = reader.objects('unit').map((one) => one.text('name'));
  return unit === undefined || unit === '' ? undefined : { name: unit, per: per ?? '' };
}

function readPoint(json: unknown): readonly (readonly [number, number | null])[] {
  if (!Array.isArray(json) || typeof json[0] !== 'number') return [];
  return [[json[0], typeof json[1] === 'number' ? json[1] : null]];
}

export function readPartErrors(reader: JsonReader): readonly PartError[] {
  return reader.list('errors').map((json) => {
    // Datadog's shape has errors as text: `points/3: unavailable: …`.
    const [, part, code, message] = typeof json === 'string' ? (/^([^:]*): ([^:]*): (.*)$/s.exec(json) ?? []) : [];
    if (part !== undefined) return { part, code, message };
    const error = new JsonReader(json);
    const text = typeof json === 'string' ? json : error.text('message');
    return { part: error.text('part'), code: error.text('code'), message: text };
  });
}

export const readGap = objectOf<Gap>({
  ...{ topic: text, partition: number, offset: number, records: number, reason: text },
});

const readMetric = objectOf<MetricInfo>({ metric: text, classes: texts, kinds: texts, series: number });

export function readMetrics(json: unknown): MetricList {
  const reader = new JsonReader(json);
  const metrics = reader.objects('metrics').map(readMetric);
  return { metrics, isCut: reader.flag('truncated') };
}

/** Reads the answer of `/api/v1/metrics/{name}`. */
export function readMeaning(json: unknown): MetricMeaning {
  const reader = new JsonReader(json);
  const sources = reader.object('sources');
  return {
    fields: {
      type: reader.text('type'),
      unit: reader.text('unit'),
      description: reader.text('description'),
      interval: reader.numberIfKnown('statsd_interval')?.toString() ?? '',
    },
    sources: {
      type: sources.text('type'),
      unit: sources.text('unit'),
      description: sources.text('description'),
      interval: sources.text('statsd_interval'),
    },
  };
}

const readTagKey = objectOf<TagKey>({
  ...{ key: text, values: number, series: number },
  top: listOf(objectOf({ value: text, series: number })),
});

export function readTagKeys(json: unknown): readonly TagKey[] {
  return new JsonReader(json).objects('keys').map(readTagKey);
}
