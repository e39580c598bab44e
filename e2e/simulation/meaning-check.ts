import { TIME_FOLD, type TimeFold } from '@tidemark/fold';
import { foldPlainly, type PlainPoint } from '@tidemark/fold/testing';
import { isNamedAsCounter, KIND, type Kind, kindName } from '@tidemark/model';
import { isTidemarkError, type Random } from '@tidemark/ports';
import { type AskedQuery, asAnswered, type QueryAnswer } from '@tidemark/query';
import { readTagRecord } from '@tidemark/tag-records';
import type { Cluster } from './cluster.ts';
import { isAlike } from './fold-check.ts';
import type { AppliedPoint } from './plain-consumer.ts';
import { resolveSeries } from './resolve-points.ts';
import type { RetentionCheck } from './retention-check.ts';
import { type KnownSeries, METRICS, TENANT } from './series.ts';
import { PARTITIONS } from './settings.ts';
import { Violation } from './violation.ts';

const STEP_MS = 1000;
/** How much longer than a step an interval may be before an answer says so, as a share of the step. */
const JITTER_SHARE = 0.05;
/** An interval that is inferred from fewer than three gaps is no longer than this, ms. */
const UNSURE_MS = 5 * 60_000;
/** Share of the steps of a run in which it asks. */
const ASKS = 0.3;

/** Metrics whose senders state a gauge, state a counter, and state nothing. */
const ASKED = ['load', 'bytes.total', 'writes_total'];
const UNSTATED = METRICS.filter(({ kind }) => kind === 'reading').map(({ metric }) => metric);

/**
 * Compares what answers say of the meaning of readings with what their senders state: a guess has a note and is not read
 * as a counter unasked, a statement needs none.
 */
export class MeaningCheck {
  readonly #cluster: Cluster;
  readonly #retention: RetentionCheck;
  readonly #random: Random;
  /** Number of answers with a note on what is only guessed. */
  guesses = 0;
  /** Number of answers about metrics whose kind is stated. */
  statements = 0;
  /** Number of answers whose points are further apart than their steps. */
  spread = 0;

  constructor(cluster: Cluster, retention: RetentionCheck) {
    this.#cluster = cluster;
    this.#retention = retention;
    this.#random = cluster.world.random.fork('meanings');
  }

  /** Asks for the rate of what may be no counter. No sender states that it is one, so every answer has the note. */
  async ask(): Promise<void> {
    const { query, world } = this.#cluster;
    if (query.host === undefined || this.#random.next() >= ASKS) return;
    const toMs = Math.ceil(world.clock.wallMs() / STEP_MS) * STEP_MS;
    for (const metric of UNSTATED) {
      const text = `sum:${metric}{*}.as_rate().rollup(5)`;
      const answer = await this.#answer({ query: text, fromMs: toMs - 30 * STEP_MS, toMs });
      if (answer === undefined || answer.series.length === 0) continue;
      this.#checkKindNote(text, answer, metric, KIND.reading, true);
    }
  }

  /** Returns undefined where the query node ended or reached no store. */
  async #answer(request: AskedQuery): Promise<QueryAnswer | undefined> {
    const { query } = this.#cluster;
    if (query.host === undefined) return undefined;
    try {
      return await query.node.orCrash(query.host.reader.run(TENANT, request, asAnswered));
    } catch (error) {
      const isEnd = error instanceof Error && error.name === 'ProcessCrashed';
      if (isEnd || isTidemarkError(error, 'unavailable') || isTidemarkError(error, 'deadline_exceeded'))
        return undefined;
      throw error;
    }
  }

  /** Asks for every series of some metrics, when all stores have the whole log. */
  async check(applied: readonly AppliedPoint[]): Promise<void> {
    const stated = this.#statedKinds();
    const bySeries = Map.groupBy(applied, ({ series }) => series);
    for (const series of this.#cluster.ledger.names.all) {
      const points = bySeries.get(series.id) ?? [];
      // The shares of several partitions are folded apart.
      if (!ASKED.includes(series.metric) || new Set(points.map(({ partition }) => partition)).size !== 1) continue;
      if (points.some((point) => this.#retention.mayBeGone(point))) continue;
      const kind = stated.get(series.metric) ?? KIND.reading;
      const resolved = resolveSeries(series.kind, points);
      for (const isRate of [false, true]) await this.#checkSeries(series, kind, resolved, isRate);
    }
  }

  async #checkSeries(series: KnownSeries, kind: Kind, points: readonly PlainPoint[], isRate: boolean): Promise<void> {
    const fromMs = Math.floor(points[0].timeMs / STEP_MS) * STEP_MS;
    const toMs = Math.floor(points[points.length - 1].timeMs / STEP_MS + 2) * STEP_MS;
    const text = `sum:${series.metric}{${series.tags.join(',')}}${isRate ? '.as_rate()' : ''}.rollup(1)`;
    const answer = await this.#answer({ query: text, fromMs, toMs });
    if (answer === undefined || answer.errors.length > 0) {
      throw new Violation('liveness', `${text} after all is well: ${JSON.stringify(answer?.errors ?? 'no answer')}`);
    }
    this.#checkKindNote(text, answer, series.metric, kind, isRate);
    this.#checkSpreadNote(text, answer, series.metric, points);
    const steps = { fromMs, stepMs: STEP_MS, steps: (toMs - fromMs) / STEP_MS };
    const expected = foldPlainly(points, steps, foldOf(kind, isRate), false);
    const [found] = answer.series;
    const values = new Map(found?.timesMs.map((timeMs, i) => [timeMs, found.values[i]]));
    for (const [step, value] of expected.entries()) {
      const timeMs = fromMs + step * STEP_MS;
      if (isAlike(values.get(timeMs), value)) continue;
      throw new Violation(
        'read-as-stated',
        `${text}: ${timeMs} is ${values.get(timeMs)}, as a ${kindName(kind)} it is ${value}`,
      );
    }
  }

  #checkKindNote(text: string, { notes }: QueryAnswer, metric: string, kind: Kind, isRate: boolean): void {
    const isGuess = kind === KIND.reading && (isRate || isNamedAsCounter(metric));
    if (isGuess) this.guesses++;
    else if (kind !== KIND.reading) this.statements++;
    const note = notes.find((one) => one.startsWith(`${metric} is`) && /by its name|not known to be/.test(one));
    if ((note !== undefined) === isGuess) return;
    throw new Violation(
      'guesses-are-said',
      `${text}: ${metric} is a ${kindName(kind)} by its senders, and the answer's note is ${note}`,
    );
  }

  #checkSpreadNote(text: string, { notes }: QueryAnswer, metric: string, points: readonly PlainPoint[]): void {
    const intervalMs = inferredMs(points);
    const isSpread = intervalMs > STEP_MS * (1 + JITTER_SHARE);
    if (isSpread) this.spread++;
    const note = notes.find((one) => one.startsWith(`points of ${metric} are`));
    if ((note !== undefined) === isSpread) return;
    throw new Violation(
      'spread-is-said',
      `${text}: points are ${intervalMs} ms apart by the plain model, and the answer's note is ${note}`,
    );
  }

  /** What the log has of the kinds of metrics. */
  #statedKinds(): ReadonlyMap<string, Kind> {
    const kinds = new Map<string, Kind>();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (const [offset, record] of this.#cluster.copy.of('tags', partition).entries()) {
        if (this.#cluster.copy.isPassed('tags', partition, offset)) continue;
        readTagRecord(record, {
          series: () => undefined,
          day: () => undefined,
          statement: (_tenant, metric, _source, { kind }) => void (kind && kinds.set(metric, kind)),
        });
      }
    }
    return kinds;
  }
}

/** How readings of a kind are folded. */
function foldOf(kind: Kind, isRate: boolean): TimeFold {
  if (kind === KIND.gauge || (kind === KIND.reading && !isRate)) return TIME_FOLD.avg;
  return isRate ? TIME_FOLD.rate : TIME_FOLD.increase;
}

/** The interval of the newest point: the lower median of the five gaps before it, ms; 0 without a gap. */
function inferredMs(points: readonly PlainPoint[]): number {
  const last = points.slice(-6);
  const gaps = last.slice(1).map(({ timeMs }, i) => timeMs - last[i].timeMs);
  const median = gaps.sort((a, b) => a - b)[(gaps.length - 1) >> 1] ?? 0;
  return gaps.length < 3 ? Math.min(median, UNSURE_MS) : median;
}
