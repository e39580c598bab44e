import type { QueryReply } from '@tidemark/contract';
import { DAY_MS } from '@tidemark/model';
import { below, isTidemarkError, type Random } from '@tidemark/ports';
import type { Cluster } from './cluster.ts';
import type { AppliedPoint } from './plain-consumer.ts';
import { type KnownSeries, TENANT } from './series.ts';
import { Violation } from './violation.ts';

const STEP_MS = 1000;
/** Late points of one step beyond which only bounds are checked, not every subset. */
const MAX_SUBSET = 10;

interface Question {
  readonly text: string;
  readonly metric: string;
  readonly filter: (series: KnownSeries) => boolean;
  readonly group: (series: KnownSeries) => string;
  /** What a point adds to the answer. */
  readonly weight: (point: AppliedPoint) => number;
}

interface Answer {
  readonly question: Question;
  readonly fromMs: number;
  readonly toMs: number;
  readonly reply: QueryReply;
  readonly askedMs: number;
  /** The newest map that the query node knew when it was asked. */
  readonly mapEpoch: number;
}

const QUESTIONS: readonly Question[] = [
  question('sum:requests{*}.rollup(sum, 1)', 'requests'),
  question('sum:requests{client:client-1}.rollup(sum, 1)', 'requests', 'client:client-1'),
  question('sum:errors{*} by {client}.rollup(sum, 1)', 'errors', undefined, 'client'),
  question('sum:load{*}.rollup(sum, 1)', 'load'),
  question('sum:memory{!client:client-2} by {part}.rollup(sum, 1)', 'memory', '!client:client-2', 'part'),
];

function question(text: string, metric: string, filter?: string, groupKey?: string): Question {
  return {
    text,
    metric,
    filter: ({ tags }) => {
      if (filter === undefined) return true;
      return filter.startsWith('!') ? !tags.includes(filter.slice(1)) : tags.includes(filter);
    },
    group: ({ tags }) => (groupKey === undefined ? '' : (tags.find((tag) => tag.startsWith(`${groupKey}:`)) ?? '')),
    weight: ({ value }) => value,
  };
}

/** Asks all the time, keeps every answer, and holds them against the whole log in the end. */
export class QueryCheck {
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #answers: Answer[] = [];
  asked = 0;
  failed = 0;
  partial = 0;
  /** Steps of answers that claimed to be complete, and were compared. */
  steps = 0;
  stepsWithLate = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#random = cluster.world.random.fork('queries');
  }

  async ask(): Promise<void> {
    const { query, world } = this.#cluster;
    const { host } = query;
    if (host === undefined) return;
    const asked = QUESTIONS[below(this.#random, QUESTIONS.length)];
    const { mapEpoch } = host;
    const askedMs = world.clock.wallMs();
    const toMs = Math.ceil(askedMs / STEP_MS) * STEP_MS + 2000;
    const fromMs = toMs - (10 + below(this.#random, 60)) * STEP_MS;
    this.asked++;
    try {
      const reply = await query.node.orCrash(host.reader.run(TENANT, { query: asked.text, fromMs, toMs }));
      if (reply.errors.length > 0) this.partial++;
      this.#answers.push({ question: asked, fromMs, toMs, reply, askedMs, mapEpoch });
    } catch (error) {
      this.failed++;
      // A process that ended has no answer; errors with a name are answers.
      if (!isTidemarkError(error) && !(error instanceof Error && error.name === 'ProcessCrashed')) throw error;
      const expected = isTidemarkError(error, 'unavailable') || isTidemarkError(error, 'deadline_exceeded');
      if (isTidemarkError(error) && !expected) throw error;
    }
  }

  /** Compares every complete step of every answer with the points that the log has. */
  check(applied: readonly AppliedPoint[]): void {
    const byStep = new Map<string, AppliedPoint[]>();
    for (const point of applied) {
      const series = this.#cluster.ledger.names.get(point.series);
      if (series === undefined) continue;
      for (const one of QUESTIONS) {
        if (one.metric !== series.metric || !one.filter(series)) continue;
        const key = `${one.text}|${one.group(series)}|${Math.floor(point.timeMs / STEP_MS) * STEP_MS}`;
        const list = byStep.get(key);
        if (list === undefined) byStep.set(key, [point]);
        else list.push(point);
      }
    }
    for (const answer of this.#answers) this.#checkAnswer(answer, byStep);
  }

  #checkAnswer(answer: Answer, byStep: ReadonlyMap<string, readonly AppliedPoint[]>): void {
    const { question: asked, fromMs, toMs, reply, askedMs } = answer;
    const through = reply.completeThroughMs;
    if (through === undefined) return;
    if (reply.errors.length > 0) {
      throw new Violation('partial-is-not-complete', `${asked.text}: errors and complete_through ${through} at once`);
    }
    if (through > askedMs + DAY_MS) throw new Violation('complete-through', `${through} is far ahead of ${askedMs}`);
    const groups = new Set(this.#groupsOf(asked));
    for (const series of reply.series) groups.add(series.tagSet[0] ?? '');
    for (const group of groups) {
      const series = reply.series.find((one) => (one.tagSet[0] ?? '') === group);
      const values = new Map(series?.timesMs.map((timeMs, i) => [timeMs, series.values[i]]));
      for (let stepMs = fromMs; stepMs + STEP_MS <= Math.min(through, toMs); stepMs += STEP_MS) {
        const points = byStep.get(`${asked.text}|${group}|${stepMs}`) ?? [];
        this.#checkStep(answer, group, stepMs, values.get(stepMs) ?? 0, points);
      }
    }
  }

  #checkStep(
    { question: asked, reply, askedMs, mapEpoch }: Answer,
    group: string,
    stepMs: number,
    value: number,
    points: readonly AppliedPoint[],
  ): void {
    this.steps++;
    // Points of a map that came after the question lie where nobody looked; all that were accepted in time are older.
    const mayLack = ({ isLate, isInTime, mapEpoch: of }: AppliedPoint) => isLate || (of > mapEpoch && !isInTime);
    const sure = points.filter((point) => !mayLack(point)).reduce((sum, point) => sum + asked.weight(point), 0);
    const late = points.filter(mayLack).map(asked.weight);
    if (late.length > 0) this.stepsWithLate++;
    if (isSumOfSome(value - sure, late)) return;
    throw new Violation(
      'complete-answers',
      `${asked.text} asked at ${askedMs}, complete through ${reply.completeThroughMs}: ${group} at ${stepMs} is ${value}, ` +
        `the log has ${JSON.stringify(points.map((p) => ({ v: p.value, late: p.isLate, p: p.partition, o: p.offset })))}`,
    );
  }

  #groupsOf(asked: Question): string[] {
    const series = this.#cluster.ledger.names.all.filter((one) => one.metric === asked.metric && asked.filter(one));
    return series.map(asked.group);
  }
}

function isSumOfSome(value: number, parts: readonly number[]): boolean {
  if (value === 0) return true;
  if (parts.length === 0 || value < 0) return false;
  if (parts.length > MAX_SUBSET) return value <= parts.reduce((sum, part) => sum + part, 0);
  const [first, ...rest] = parts;
  return isSumOfSome(value - first, rest) || isSumOfSome(value, rest);
}
