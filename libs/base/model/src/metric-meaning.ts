import { KIND, type Kind } from './kind.ts';
import { classOfKind, kindOfClass, SERIES_CLASS, type SeriesClass } from './series-class.ts';

/** What one source says of a metric. An absent field says nothing. */
export interface MetricStatement {
  /** Gauge or counter of readings; count or rate of counts. */
  readonly kind?: Kind;
  /** As sent, such as `byte` or `seconds`. */
  readonly unit?: string;
  readonly description?: string;
  /** How far apart the points are meant to be, ms. */
  readonly intervalMs?: number;
}

/** A change of what a source says: `null` takes a field back, an absent one stays. */
export type MetricChange = { readonly [Field in keyof MetricStatement]: MetricStatement[Field] | null };

/** What is known of a metric apart from its series, by source. It holds for all of the metric's history. */
export interface MetricMetadata {
  readonly user?: MetricStatement;
  /** Said in so many words: a scraped `# TYPE`, the metadata of remote write, `describe` of a client. */
  readonly protocol?: MetricStatement;
  /** What a call or a payload implies by how it sends points: `gauge()` of a client, `g` of DogStatsD, Datadog's `type`. */
  readonly implied?: MetricStatement;
}

/** Who states something of a metric, the strongest first. */
export type StatedSource = 'user' | 'protocol' | 'implied';
/** Who says it. What only the name suggests is a guess. */
export type MeaningSource = StatedSource | 'name';

export interface Sourced<T> {
  readonly value: T;
  readonly source: MeaningSource;
}

/** The fields that hold, each with the source that says so. */
export type MetricMeaning = {
  readonly [Field in keyof MetricStatement]: Sourced<NonNullable<MetricStatement[Field]>>;
} & {
  /** All kinds that are stated, the strongest first: one of another class says nothing of a series. */
  readonly statedKinds: readonly Sourced<Kind>[];
};

/** Endings that the convention of Prometheus gives to counters, and to the parts of its histograms. */
const COUNTER_ENDINGS = ['_total', '_count', '_sum', '_bucket'];

/** True for names that are a counter's by convention. Gauges may have such names, too. */
export function isNamedAsCounter(metric: string): boolean {
  return COUNTER_ENDINGS.some((ending) => metric.endsWith(ending));
}

function guessedKind(metric: string): Kind {
  return isNamedAsCounter(metric) ? KIND.counter : KIND.gauge;
}

/**
 * Of each field the user's statement, else the protocol's, else what is implied; of the kind of readings, else what the
 * name suggests.
 */
export function meaningOf(metric: string, { user = {}, protocol = {}, implied = {} }: MetricMetadata): MetricMeaning {
  const field = <F extends keyof MetricStatement>(name: F): Sourced<NonNullable<MetricStatement[F]>> | undefined => {
    for (const [source, { [name]: value }] of [
      ['user', user],
      ['protocol', protocol],
      ['implied', implied],
    ] as const) {
      if (value !== undefined) return { value: value as NonNullable<MetricStatement[F]>, source };
    }
    return undefined;
  };
  const kinds = [
    { value: user.kind, source: 'user' },
    { value: protocol.kind, source: 'protocol' },
    { value: implied.kind, source: 'implied' },
  ] as const;
  return {
    statedKinds: kinds.flatMap(({ value, source }) => (value === undefined ? [] : [{ value, source }])),
    kind: field('kind') ?? { value: guessedKind(metric), source: 'name' },
    unit: field('unit'),
    description: field('description'),
    intervalMs: field('intervalMs'),
  };
}

/** How a query reads series of a class. Readings that are a gauge or a counter only by their name stay `reading`. */
export function kindOfSeries(seriesClass: SeriesClass, { statedKinds }: MetricMeaning): Kind {
  const kind = statedKinds.find(({ value }) => value === KIND.gauge || value === KIND.counter);
  return seriesClass === SERIES_CLASS.reading && kind !== undefined ? kind.value : kindOfClass(seriesClass);
}

/**
 * The kind that series of a class are shown as, and who says so: what is stated, if it is one of the class; else the class
 * itself, which is the sender's word; else what the name suggests.
 */
export function shownKind(metric: string, seriesClass: SeriesClass, { statedKinds }: MetricMeaning): Sourced<Kind> {
  const kind = statedKinds.find(({ value }) => classOfKind(value) === seriesClass);
  if (kind !== undefined) return kind;
  if (seriesClass === SERIES_CLASS.reading) return { value: guessedKind(metric), source: 'name' };
  return { value: kindOfClass(seriesClass), source: 'protocol' };
}

/** What is shown of a metric with series of these classes: as `meaningOf`, with the kind of its first class. */
export function shownMeaning(metric: string, classes: readonly SeriesClass[], metadata: MetricMetadata): MetricMeaning {
  const meaning = meaningOf(metric, metadata);
  const [first] = classes;
  return first === undefined ? meaning : { ...meaning, kind: shownKind(metric, first, meaning) };
}

/** What a source says after a change. */
export function changedStatement(statement: MetricStatement | undefined, change: MetricChange): MetricStatement {
  const next: Record<string, unknown> = { ...statement };
  for (const [field, value] of Object.entries(change)) {
    if (value === null) delete next[field];
    else if (value !== undefined) next[field] = value;
  }
  return next;
}

/** What several partitions know of a metric, whose slot has moved: of each field the first one's. */
export function mergeMetadata(known: readonly MetricMetadata[]): MetricMetadata {
  return known.reduceRight<MetricMetadata>(
    (merged, { user, protocol, implied }) => ({
      user: changedStatement(merged.user, user ?? {}),
      protocol: changedStatement(merged.protocol, protocol ?? {}),
      implied: changedStatement(merged.implied, implied ?? {}),
    }),
    {},
  );
}
