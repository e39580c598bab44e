import { METRICS } from '../data/hosts.ts';
import { labelledMetric } from '../data/labelled-series.ts';
import type { BodiesOptions } from '../remote-write/bodies.ts';

/** Aggregates a metric's samples over all time, then sums over the series of each region. */
export type Ask = (metric: string, fold: 'count' | 'sum') => Promise<ReadonlyMap<string, number>>;

/**
 * Returns the number and the sum of the samples of every metric, by region. Rounded to nine digits, because each
 * server adds in its own order.
 */
export async function answersOf(ask: Ask): Promise<Map<string, string>> {
  const answers = new Map<string, string>();
  for (let m = 0; m < METRICS; m++) {
    const metric = labelledMetric(m);
    const counts = await ask(metric, 'count');
    const sums = await ask(metric, 'sum');
    for (const [region, count] of counts) {
      answers.set(`${metric} ${region}`, `${count} samples, sum ${(sums.get(region) ?? Number.NaN).toPrecision(9)}`);
    }
  }
  return answers;
}

/** Returns the answers of a server with PromQL. `more` is added to each query's parameters. */
export function promqlAnswers(url: string, options: BodiesOptions, more = ''): Promise<Map<string, string>> {
  const { startMs, stepMs, rounds } = options;
  const seconds = (rounds * stepMs) / 1000;
  // Ranges exclude their start: this range begins a second before the first sample.
  const time = startMs / 1000 + seconds - 1;
  return answersOf(async (metric, fold) => {
    const query = `sum by (region) (${fold}_over_time(${metric}[${seconds}s]))`;
    const answer = await json(`${url}/api/v1/query?query=${encodeURIComponent(query)}&time=${time}${more}`);
    const { data } = answer as { data: { result: { metric: { region: string }; value: [number, string] }[] } };
    return new Map(data.result.map(({ metric: { region }, value }) => [region, Number(value[1])]));
  });
}

/** Throws if two peers differ in any answer, or have none. */
export function compareAnswers(ours: ReadonlyMap<string, string>, theirs: ReadonlyMap<string, string>): void {
  const keys = new Set([...ours.keys(), ...theirs.keys()]);
  const differing = [...keys].filter((key) => ours.get(key) !== theirs.get(key));
  if (differing.length === 0 && keys.size > 0) return;
  for (const key of differing.slice(0, 5)) console.error(`${key}: ${ours.get(key)} here, ${theirs.get(key)} there`);
  throw new Error(`${differing.length} of ${keys.size} answers differ`);
}

export async function json(url: string): Promise<unknown> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}
