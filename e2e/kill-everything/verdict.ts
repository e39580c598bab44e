import { type Answer, stepOf } from './contents.ts';
import type { LoadLedger, LoadPoint } from './load-ledger.ts';
import { STEP_MS } from './settings.ts';

export interface Evidence {
  readonly ledger: LoadLedger;
  /** Values of the platform at the end, by `pointKey`. */
  readonly contents: ReadonlyMap<string, number>;
  readonly answers: readonly Answer[];
  /** Points that are late by the log, by `pointKey`. */
  readonly late: ReadonlySet<string>;
}

export interface Verdict {
  /** Number of acknowledged points, and of those that are stored. */
  readonly acked: number;
  readonly found: number;
  readonly lost: number;
  /** Number of points that are stored more than once, acknowledged or not. */
  readonly doubled: number;
  /** Answers with a value below their `complete_through` that later changed, other than by points counted late. */
  readonly wrongComplete: number;
  /** Number of answers that were complete through a part of their range, and of compared values in them. */
  readonly completeAnswers: number;
  readonly completeValues: number;
  /** Descriptions of the problems. */
  readonly problems: readonly string[];
}

/** Max number of reported examples of one kind of problem. */
const EXAMPLES = 5;

/** Compares the content of the platform with the ledgers of the clients. */
export function judge({ ledger, contents, answers, late }: Evidence): Verdict {
  const problems = new Problems();
  for (const problem of ledger.problems) problems.add('client', problem);
  const counts = { acked: 0, found: 0, lost: 0, doubled: 0 };
  for (const [key, point] of ledger.points) {
    const value = contents.get(key);
    const times = value === undefined ? 0 : value / point.value;
    const isThere = times >= 1 && Number.isInteger(times);
    if (isThere && times > 1) {
      counts.doubled++;
      problems.add('doubled', `${key}: recorded ${point.value} once, found ${value}`);
    }
    if (!point.isAcked) {
      if (!ledger.mayBeGone(point))
        problems.add('never settled', `${key}: no intake acknowledged it${describe(point)}`);
      if (value !== undefined && !isThere)
        problems.add('other value', `${key}: recorded ${point.value}, found ${value}`);
      continue;
    }
    counts.acked++;
    if (isThere) counts.found++;
    else {
      counts.lost++;
      problems.add('lost', `${key}: acknowledged ${point.value}, found ${value}${describe(point)}`);
    }
  }
  for (const [key, value] of contents) {
    if (!ledger.points.has(key)) problems.add('never recorded', `${key}: found ${value}`);
  }
  const complete = judgeAnswers(answers, contents, late, problems);
  return { ...counts, ...complete, problems: problems.list };
}

function judgeAnswers(
  answers: readonly Answer[],
  contents: ReadonlyMap<string, number>,
  late: ReadonlySet<string>,
  problems: Problems,
): Pick<Verdict, 'wrongComplete' | 'completeAnswers' | 'completeValues'> {
  const counts = { wrongComplete: 0, completeAnswers: 0, completeValues: 0 };
  const byMetric = new Map<string, { readonly key: string; readonly stepMs: number; readonly value: number }[]>();
  for (const [key, value] of contents) {
    const metric = key.slice(0, key.indexOf('{'));
    const list = byMetric.get(metric);
    const one = { key, stepMs: stepOf(key), value };
    if (list === undefined) byMetric.set(metric, [one]);
    else list.push(one);
  }
  for (const { metric, range, throughMs, values, askedMs } of answers) {
    const endMs = Math.min(throughMs ?? Number.NEGATIVE_INFINITY, range.toMs);
    const isComplete = (stepMs: number) => stepMs >= range.fromMs && stepMs + STEP_MS <= endMs;
    if (!isComplete(range.fromMs)) continue;
    counts.completeAnswers++;
    let isWrong = false;
    const wrong = (key: string, before: number | undefined, after: number | undefined): void => {
      isWrong = true;
      problems.add(
        'wrong complete',
        `asked at ${askedMs}, complete through ${throughMs}: ${key} was ${before}, is ${after}`,
      );
    };
    for (const { key, stepMs, value } of byMetric.get(metric.name) ?? []) {
      if (!isComplete(stepMs)) continue;
      counts.completeValues++;
      const before = values.get(key);
      if (before === value || (before === undefined && late.has(key))) continue;
      wrong(key, before, value);
    }
    for (const [key, before] of values) {
      if (isComplete(stepOf(key)) && !contents.has(key)) wrong(key, before, undefined);
    }
    if (isWrong) counts.wrongComplete++;
  }
  return counts;
}

function describe({ run, timeMs }: LoadPoint): string {
  return ` (recorded at ${timeMs} in run ${run})`;
}

/** Collects some examples of each kind of problem, and their number. */
class Problems {
  readonly #byKind = new Map<string, string[]>();

  add(kind: string, problem: string): void {
    const list = this.#byKind.get(kind);
    if (list === undefined) this.#byKind.set(kind, [problem]);
    else list.push(problem);
  }

  get list(): string[] {
    return [...this.#byKind].flatMap(([kind, list]) => {
      const shown = list.slice(0, EXAMPLES).map((problem) => `${kind}: ${problem}`);
      return list.length > EXAMPLES ? [...shown, `${kind}: ${list.length} in all`] : shown;
    });
  }
}
