import type { QueryReply } from '@tidemark/contract';
import { KIND, metricId, partitionOf } from '@tidemark/model';
import { below, isTidemarkError, type Random } from '@tidemark/ports';
import { asAnswered } from '@tidemark/query';
import type { Cluster } from './cluster.ts';
import { pointKey } from './ledger.ts';
import type { AppliedPoint } from './plain-consumer.ts';
import { resolvePoints } from './resolve-points.ts';
import type { RetentionCheck } from './retention-check.ts';
import { type KnownSeries, TENANT } from './series.ts';
import { LATENESS_MS } from './settings.ts';
import { Violation } from './violation.ts';

const STEP_MS = 1000;
/** What the rounding of shares of amounts may change in a sum. Values are whole numbers, and shares tenths of them. */
const ROUNDING = 1e-6;
/** Max number of late points in a step for which every choice is checked; above it only bounds are. */
const MAX_CHOICES = 10;

interface Question {
  readonly text: string;
  readonly metric: string;
  readonly filter: (series: KnownSeries) => boolean;
  readonly group: (series: KnownSeries) => string;
}

interface Answer {
  readonly question: Question;
  readonly fromMs: number;
  readonly toMs: number;
  readonly reply: QueryReply;
  readonly askedMs: number;
  /** The newest map that the query node knew at the time of the query. */
  readonly mapEpoch: number;
  /** The newest era that the query node knew at the time of the query. */
  readonly era: number;
  /** The clock of the query node, at the query or at its answer: the later. Infinity when it was set meanwhile. */
  readonly nowMs: number;
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
  };
}

/** The share of a point that belongs to a step. */
interface Part {
  readonly point: AppliedPoint;
  readonly share: number;
}

/** Queries all the time, keeps every answer, and compares them with the whole log at the end. */
export class QueryCheck {
  readonly #cluster: Cluster;
  readonly #retention: RetentionCheck;
  readonly #random: Random;
  readonly #answers: Answer[] = [];
  asked = 0;
  failed = 0;
  partial = 0;
  /** Number of answers from more than one partition, because the metric had moved. */
  severalOwners = 0;
  /** Number of answers that claim less than the stores would allow, because newer maps may exist. */
  heldByMaps = 0;
  /** Number of compared steps that were claimed to be complete. */
  steps = 0;
  stepsWithLate = 0;
  /** Number of answers that claim nothing although every part answered: a clock was wrong, or was just corrected. */
  untrusted = 0;

  constructor(cluster: Cluster, retention: RetentionCheck) {
    this.#cluster = cluster;
    this.#retention = retention;
    this.#random = cluster.world.random.fork('queries');
  }

  async ask(): Promise<void> {
    const { query, world } = this.#cluster;
    const { host } = query;
    if (host === undefined) return;
    const asked = QUESTIONS[below(this.#random, QUESTIONS.length)];
    const { mapEpoch, mapsThroughMs, era } = host;
    const queryClock = query.node.clock;
    const askedAtMs = queryClock.wallMs();
    const { clockSteps } = query;
    const owners = new Set(host.maps.map((map) => partitionOf(map, metricId(TENANT, asked.metric))));
    const askedMs = world.clock.wallMs();
    const toMs = Math.ceil(askedMs / STEP_MS) * STEP_MS + 2000;
    const fromMs = toMs - (10 + below(this.#random, 60)) * STEP_MS;
    this.asked++;
    try {
      const reply = await query.node.orCrash(host.reader.run(TENANT, { query: asked.text, fromMs, toMs }, asAnswered));
      if (reply.errors.length > 0) this.partial++;
      if (owners.size > 1) this.severalOwners++;
      if (reply.completeThroughMs === mapsThroughMs - LATENESS_MS) this.heldByMaps++;
      if (reply.errors.length === 0 && reply.completeThroughMs === undefined) this.untrusted++;
      const nowMs =
        query.clockSteps === clockSteps ? Math.max(askedAtMs, queryClock.wallMs()) : Number.POSITIVE_INFINITY;
      this.#answers.push({ question: asked, fromMs, toMs, reply, askedMs, mapEpoch, era, nowMs });
    } catch (error) {
      this.failed++;
      // An ended process gives no answer; errors with a code are answers.
      if (!isTidemarkError(error) && !(error instanceof Error && error.name === 'ProcessCrashed')) throw error;
      const expected = isTidemarkError(error, 'unavailable') || isTidemarkError(error, 'deadline_exceeded');
      if (isTidemarkError(error) && !expected) throw error;
    }
  }

  /** Compares every complete step of every answer with the points that the log has. */
  check(applied: readonly AppliedPoint[]): void {
    const byStep = new Map<string, Part[]>();
    for (const point of applied) {
      const series = this.#cluster.ledger.names.get(point.series);
      if (series === undefined) continue;
      for (const one of QUESTIONS) {
        if (one.metric !== series.metric || !one.filter(series)) continue;
        for (const { stepMs, share } of stepsOf(series, point)) {
          const key = `${one.text}|${one.group(series)}|${stepMs}`;
          const list = byStep.get(key);
          if (list === undefined) byStep.set(key, [{ point, share }]);
          else list.push({ point, share });
        }
      }
    }
    for (const answer of this.#answers) this.#checkAnswer(answer, byStep);
  }

  #checkAnswer(answer: Answer, byStep: ReadonlyMap<string, readonly Part[]>): void {
    const { question: asked, fromMs, toMs, reply, askedMs, nowMs } = answer;
    // The query service has compared the hashes of replicas.
    const differ = reply.notes.find((note) => note.startsWith('replicas of '));
    if (differ !== undefined) throw new Violation('replicas-agree', `${asked.text}: ${differ}`);
    const through = reply.completeThroughMs;
    if (through === undefined) return;
    if (reply.errors.length > 0) {
      throw new Violation('partial-is-not-complete', `${asked.text}: errors and complete_through ${through} at once`);
    }
    if (through > nowMs - LATENESS_MS) {
      throw new Violation('complete-through', `${through} is less than D before ${nowMs}, asked at ${askedMs}`);
    }
    const groups = new Set(this.#groupsOf(asked));
    for (const series of reply.series) groups.add(series.tagSet[0] ?? '');
    for (const group of groups) {
      const series = reply.series.find((one) => (one.tagSet[0] ?? '') === group);
      const values = new Map(series?.timesMs.map((timeMs, i) => [timeMs, series.values[i]]));
      for (let stepMs = fromMs; stepMs + STEP_MS <= Math.min(through, toMs); stepMs += STEP_MS) {
        const parts = byStep.get(`${asked.text}|${group}|${stepMs}`) ?? [];
        if (parts.some(({ point }) => this.#retention.mayBeGone(point))) continue;
        this.#checkStep(answer, group, stepMs, values.get(stepMs) ?? 0, parts);
      }
    }
  }

  #checkStep(
    { question: asked, reply, askedMs, mapEpoch, era }: Answer,
    group: string,
    stepMs: number,
    value: number,
    parts: readonly Part[],
  ): void {
    this.steps++;
    // Points of a map after the query are in partitions that were not asked; all that were accepted in time are older.
    // What was claimed before an era began, or before it was known, is taken back.
    const mayLack = ({ isLate, isInTime, mapEpoch: of, era: began }: AppliedPoint) =>
      isLate || (of > mapEpoch && !isInTime) || began > era;
    if (parts.some(({ point }) => mayLack(point))) this.stepsWithLate++;
    const equal = Map.groupBy(parts, ({ point }) => `${point.partition}/${pointKey(point.series, point.timeMs)}`);
    const choices = [...equal.values()].map((of) => this.#possibleValues(of, mayLack));
    if (isSumOfChoices(value, choices)) return;
    throw new Violation(
      'complete-answers',
      `${asked.text} asked at ${askedMs}, complete through ${reply.completeThroughMs}: ${group} at ${stepMs} is ${value}, ` +
        `the log has ${JSON.stringify(parts.map(({ point: p, share }) => ({ v: p.value, share, late: p.isLate, p: p.partition, o: p.offset })))}`,
    );
  }

  /** Returns the possible values of one series, timestamp and partition: a store has applied a prefix of its log. */
  #possibleValues(parts: readonly Part[], mayLack: (point: AppliedPoint) => boolean): number[] {
    const points = parts.map(({ point }) => point);
    const [{ share }] = parts;
    const kind = this.#cluster.ledger.names.get(points[0].series)?.kind ?? KIND.count;
    const min = points.findLastIndex((point) => !mayLack(point)) + 1;
    const values = new Set<number>();
    for (let count = min; count <= points.length; count++)
      values.add(share * resolvePoints(kind, points.slice(0, count)));
    return [...values];
  }

  #groupsOf(asked: Question): string[] {
    const series = this.#cluster.ledger.names.all.filter((one) => one.metric === asked.metric && asked.filter(one));
    return series.map(asked.group);
  }
}

/** The steps that a point counts in: an amount belongs evenly to the interval that its sender states. */
function stepsOf({ kind }: KnownSeries, { timeMs, intervalMs }: AppliedPoint): { stepMs: number; share: number }[] {
  const firstMs = Math.floor(timeMs / STEP_MS) * STEP_MS;
  if (kind !== KIND.count || intervalMs === 0) return [{ stepMs: firstMs, share: 1 }];
  const endMs = timeMs + intervalMs;
  const steps = [];
  for (let stepMs = firstMs; stepMs < endMs; stepMs += STEP_MS) {
    const overlapMs = Math.min(endMs, stepMs + STEP_MS) - Math.max(timeMs, stepMs);
    steps.push({ stepMs, share: overlapMs / intervalMs });
  }
  return steps;
}

/** Returns true if one value of each choice can add up to `value`. */
function isSumOfChoices(value: number, choices: readonly (readonly number[])[]): boolean {
  const open = choices.filter((values) => values.length > 1);
  const sure = choices.reduce((sum, values) => sum + (values.length > 1 ? 0 : values[0]), 0);
  if (open.length <= MAX_CHOICES) return adds(value - sure, open);
  const min = open.reduce((sum, values) => sum + Math.min(...values), sure);
  const max = open.reduce((sum, values) => sum + Math.max(...values), sure);
  return value >= min - ROUNDING && value <= max + ROUNDING;
}

function adds(value: number, choices: readonly (readonly number[])[]): boolean {
  if (choices.length === 0) return Math.abs(value) <= ROUNDING;
  const [first, ...rest] = choices;
  return first.some((one) => adds(value - one, rest));
}
