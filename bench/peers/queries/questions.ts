import { describeHost } from '../../data/hosts.ts';
import { COUNTER, END_MS, GAUGE, HOUR_MS, START_MS, STEP_MS, WIDE_METRIC } from './data.ts';

/** One question in the languages of both peers. */
export interface Question {
  readonly name: string;
  readonly text: string;
  readonly ours: Form;
  readonly theirs: Form;
}

interface Form {
  readonly path: string;
  /** Reads an answer as values by series and time, the same for both peers. */
  readonly read: (json: unknown) => Map<string, string>;
}

interface RangeQuestion {
  readonly name: string;
  readonly text: string;
  readonly ours: string;
  readonly theirs: string;
  readonly hours: number;
  readonly stepMs: number;
  /**
   * Time from the start of a step of ours to the time at which PromQL's window, which excludes its start and includes
   * its end, has the same samples.
   */
  readonly shiftMs: number;
}

const HOST = describeHost(7).name;
/** Numbers are compared to this many digits: each server adds in its own order. */
const DIGITS = 9;

/** The questions of the comparison: an hour (or six) that ends a step before the data. */
export const QUESTIONS: readonly Question[] = [
  range({
    name: 'q1',
    text: 'one series, 1 h, steps of 10 s',
    ours: `avg:${GAUGE}{host:${HOST}}.rollup(avg, 10)`,
    theirs: `avg(avg_over_time(${GAUGE}{host="${HOST}"}[10s]))`,
    ...{ hours: 1, stepMs: STEP_MS, shiftMs: STEP_MS - 1000 },
  }),
  range({
    name: 'q2',
    text: 'sum by region of 1,000 gauges, 1 h, steps of 60 s',
    ours: `sum:${GAUGE}{*} by {region}.rollup(avg, 60)`,
    theirs: `sum by (region) (avg_over_time(${GAUGE}[60s]))`,
    ...{ hours: 1, stepMs: 60_000, shiftMs: 59_000 },
  }),
  range({
    name: 'q2r',
    text: 'sum by region of the rates of 1,000 counters, 1 h, steps of 60 s',
    ours: `sum:${COUNTER}{*} by {region}.as_rate().rollup(60)`,
    theirs: `sum by (region) (increase(${COUNTER}[60s])) / 60`,
    ...{ hours: 1, stepMs: 60_000, shiftMs: 60_000 },
  }),
  range({
    name: 'q3',
    text: 'sum by region of the rates of 100,000 counters of one metric, 1 h, steps of 60 s',
    ours: `sum:${WIDE_METRIC}{*} by {region}.as_rate().rollup(60)`,
    theirs: `sum by (region) (increase(${WIDE_METRIC}[60s])) / 60`,
    ...{ hours: 1, stepMs: 60_000, shiftMs: 60_000 },
  }),
  range({
    name: 'q3f',
    text: 'the same of one environment, about 20,000 of the 100,000',
    ours: `sum:${WIDE_METRIC}{env:staging} by {region}.as_rate().rollup(60)`,
    theirs: `sum by (region) (increase(${WIDE_METRIC}{env="staging"}[60s])) / 60`,
    ...{ hours: 1, stepMs: 60_000, shiftMs: 60_000 },
  }),
  range({
    name: 'q4',
    text: 'average by region of 1,000 gauges, 6 h, steps of 300 s',
    ours: `avg:${GAUGE}{*} by {region}.rollup(avg, 300)`,
    theirs: `avg by (region) (avg_over_time(${GAUGE}[300s]))`,
    ...{ hours: 6, stepMs: 300_000, shiftMs: 299_000 },
  }),
  {
    name: 'q5',
    text: 'the 1,000 values of a tag of one metric',
    ours: {
      path: `/api/v2/metrics/${GAUGE}/all-tags?${new URLSearchParams({ 'filter[match]': 'host:' })}`,
      read: (json) => {
        const { data } = json as { data: { attributes: { tags: string[] } } };
        return namesOf(data.attributes.tags.map((tag) => tag.replace(/^host:/, '')));
      },
    },
    theirs: {
      path: `/api/v1/label/host/values?${new URLSearchParams({ 'match[]': GAUGE, start: String(START_MS / 1000), end: String(END_MS / 1000) })}`,
      read: (json) => namesOf((json as { data: string[] }).data),
    },
  },
];

function range({ name, text, ours, theirs, hours, stepMs, shiftMs }: RangeQuestion): Question {
  // Without the last step, whose end has no sample yet: an increase to it is known in part only.
  const toMs = END_MS - stepMs;
  const fromMs = toMs - hours * HOUR_MS;
  return {
    name,
    text,
    ours: {
      path: `/api/v1/query?${new URLSearchParams({ query: ours, from: String(fromMs / 1000), to: String(toMs / 1000) })}`,
      read: readOurs,
    },
    theirs: {
      path: `/api/v1/query_range?${new URLSearchParams({
        query: theirs,
        start: String((fromMs + shiftMs) / 1000),
        end: String((toMs - stepMs + shiftMs) / 1000),
        step: String(stepMs / 1000),
        nocache: '1',
      })}`,
      read: (json) => readTheirs(json, shiftMs),
    },
  };
}

function readOurs(json: unknown): Map<string, string> {
  const { series } = json as { series: { scope: string; pointlist: [number, number | null][] }[] };
  const found = new Map<string, string>();
  for (const { scope, pointlist } of series) {
    const group = /region:(?<name>[^,]*)/.exec(scope)?.groups?.name ?? '';
    for (const [timeMs, value] of pointlist) {
      if (value !== null) found.set(`${group} ${timeMs}`, value.toPrecision(DIGITS));
    }
  }
  return found;
}

function readTheirs(json: unknown, shiftMs: number): Map<string, string> {
  const { data } = json as { data: { result: { metric: { region?: string }; values: [number, string][] }[] } };
  const found = new Map<string, string>();
  for (const { metric, values } of data.result) {
    for (const [time, value] of values) {
      found.set(`${metric.region ?? ''} ${time * 1000 - shiftMs}`, Number(value).toPrecision(DIGITS));
    }
  }
  return found;
}

function namesOf(values: readonly string[]): Map<string, string> {
  return new Map(values.map((value) => [value, 'present']));
}
