// What the folders of `npm run flip` have, as plain data: every point, tag and statement that the platform acknowledged.

export const STEP_MS = 1000;
/** Points of each series. */
export const POINTS = 60;
/** Length of the range that is asked for: the increase of a counter after its last value is not known. */
export const RANGE_MS = (POINTS - 1) * STEP_MS;
export const TENANTS = ['default', 'acme'] as const;

export type Tenant = (typeof TENANTS)[number];
export type MadeKind = 'gauge' | 'count' | 'counter' | 'distribution';

export interface MadeSeries {
  readonly tenant: Tenant;
  readonly metric: string;
  readonly kind: MadeKind;
  /** In the order of their bytes. */
  readonly tags: readonly string[];
  /** Of the time `startMs + i * STEP_MS`. */
  readonly valueAt: (index: number) => number;
}

/** What is stated of a metric by its sender, and by a user. */
export interface MadeDescription {
  readonly tenant: Tenant;
  readonly metric: string;
  readonly unit: string;
  readonly description: string;
}

const KINDS: readonly MadeKind[] = ['gauge', 'gauge', 'count', 'count', 'counter', 'distribution'];
const HOSTS = 6;

/** Metrics of a tenant; there are enough for every partition to have some. */
const METRICS = KINDS.map((kind, index) => ({ metric: `flip.${kind}_${index}`, kind }));

export const SERIES: readonly MadeSeries[] = TENANTS.flatMap((tenant, owner) =>
  METRICS.flatMap(({ metric, kind }, place) =>
    Array.from({ length: HOSTS }, (_, host) => {
      const own = 1 + owner * 1000 + place * 100 + host;
      const tags = [`env:${host % 2 === 0 ? 'prod' : 'test'}`, `host:h${host}`];
      // A counter grows; other values differ between series and between times.
      const valueAt = (index: number) =>
        kind === 'counter' ? own * (index + 1) : own + ((index * 7919) % 997) * 10_000;
      return { tenant, metric, kind, tags, valueAt };
    }),
  ),
);

export const DESCRIPTIONS: readonly MadeDescription[] = TENANTS.flatMap((tenant) =>
  METRICS.map(({ metric, kind }) => ({ tenant, metric, unit: 'byte', description: `a ${kind} of ${tenant}` })),
);

/** An answer as its question defines it, without completeness, errors and gaps. */
export type Content = unknown;

/** A question that is asked of every folder, and its right answer. */
export interface Question {
  readonly name: string;
  readonly tenant: Tenant;
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** End of the range that the answer must be complete through, if it has one, ms. */
  readonly throughMs?: number;
  readonly contentOf: (answer: Record<string, unknown>) => Content;
  readonly right: Content;
  /** False for content that no loss of points can lead to. */
  readonly isPossible?: (content: Content) => boolean;
}

const METHOD: Readonly<Record<MadeKind, string>> = { gauge: 'avg', count: 'sum', counter: 'sum', distribution: 'max' };

type AnsweredRow = readonly [tags: readonly string[], times: readonly number[], values: readonly number[]];

interface AnsweredSeries {
  readonly tag_set: readonly string[];
  readonly times_ms: readonly number[];
  readonly values: readonly number[];
}

/** All questions, with their answers from the plain data alone. The points begin at `startMs`. */
export function questionsOf(startMs: number): Question[] {
  return TENANTS.flatMap((tenant) => [
    metricsQuestion(tenant, startMs),
    ...METRICS.flatMap(({ metric, kind }) => [
      pointsQuestion(tenant, metric, kind, startMs),
      tagsQuestion(tenant, metric, startMs),
      metadataQuestion(tenant, metric),
    ]),
  ]);
}

function seriesOf(tenant: Tenant, metric: string): MadeSeries[] {
  return SERIES.filter((series) => series.tenant === tenant && series.metric === metric);
}

function pointsQuestion(tenant: Tenant, metric: string, kind: MadeKind, startMs: number): Question {
  const throughMs = startMs + RANGE_MS;
  const indexes = Array.from({ length: POINTS - 1 }, (_, index) => index);
  const answerAt = ({ valueAt }: MadeSeries, i: number) =>
    kind === 'counter' ? valueAt(i + 1) - valueAt(i) : valueAt(i);
  return {
    ...{ name: `points of ${metric}`, tenant, path: '/api/tidemark/v1/query', throughMs },
    body: {
      query: `${METHOD[kind]}:${metric}{*} by {env,host}${kind === 'counter' ? '.as_count()' : ''}.rollup(${kind === 'distribution' ? '' : `${METHOD[kind]}, `}1)`,
      ...{ from_ms: startMs, to_ms: throughMs },
    },
    contentOf: (answer) =>
      sorted((answer.series as AnsweredSeries[]).map(({ tag_set, times_ms, values }) => [tag_set, times_ms, values])),
    right: sorted(
      seriesOf(tenant, metric).map((series) => [
        series.tags,
        indexes.map((index) => startMs + index * STEP_MS),
        indexes.map((index) => answerAt(series, index)),
      ]),
    ),
    isPossible: (content) => hasOnlySentValues(content as readonly AnsweredRow[], tenant, metric, kind, startMs),
  };
}

/**
 * Whether each value could be there after a loss of points: a value of the series, for a count at its own time. Increases of
 * a counter are spread over what is missing, so they are bounded by the largest.
 */
function hasOnlySentValues(
  rows: readonly AnsweredRow[],
  tenant: Tenant,
  metric: string,
  kind: MadeKind,
  startMs: number,
): boolean {
  return rows.every(([tags, times, values]) => {
    const series = seriesOf(tenant, metric).find((one) => one.tags.join() === tags.join());
    if (series === undefined) return false;
    const sent = Array.from({ length: POINTS }, (_, index) => series.valueAt(index));
    return values.every((value, i) => {
      if (kind === 'count') return value === sent[(times[i] - startMs) / STEP_MS];
      return kind === 'counter' ? value >= 0 && value <= Math.max(...sent) : sent.includes(value);
    });
  });
}

function tagsQuestion(tenant: Tenant, metric: string, startMs: number): Question {
  const tags = seriesOf(tenant, metric).flatMap((series) => series.tags);
  return {
    ...{ name: `tags of ${metric}`, tenant },
    path: `/api/tidemark/v1/tags?metric=${metric}&from=${startMs / 1000}&to=${(startMs + RANGE_MS) / 1000}`,
    contentOf: ({ keys }) =>
      sorted(
        (keys as { key: string; top: { value: string; series: number }[] }[]).flatMap(({ key, top }) =>
          top.map(({ value, series }) => [`${key}:${value}`, series]),
        ),
      ),
    right: sorted([...new Set(tags)].map((tag) => [tag, tags.filter((one) => one === tag).length])),
  };
}

function metricsQuestion(tenant: Tenant, startMs: number): Question {
  return {
    ...{ name: 'metrics', tenant },
    path: `/api/tidemark/v1/metrics?contains=flip.&from=${startMs / 1000}`,
    contentOf: ({ metrics }) =>
      sorted((metrics as { metric: string; series: number }[]).map(({ metric, series }) => [metric, series])),
    right: sorted(METRICS.map(({ metric }) => [metric, HOSTS])),
  };
}

function metadataQuestion(tenant: Tenant, metric: string): Question {
  const made = DESCRIPTIONS.find((one) => one.tenant === tenant && one.metric === metric);
  return {
    ...{ name: `metadata of ${metric}`, tenant, path: `/api/v1/metrics/${metric}` },
    contentOf: ({ unit, description }) => [unit, description],
    right: [made?.unit, made?.description],
  };
}

function sorted<T>(rows: T[]): T[] {
  return rows
    .map((row) => [JSON.stringify(row), row] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, row]) => row);
}
