import { SPACE_FOLD, TIME_FOLD, type TimeFoldName } from '@tidemark/fold';
import { foldPlainly } from '@tidemark/fold/testing';
import { KIND, type Kind } from '@tidemark/model';
import { below, type Random } from '@tidemark/ports';
import type { Cluster } from './cluster.ts';
import type { AppliedPoint } from './plain-consumer.ts';
import { resolveSeries } from './resolve-points.ts';
import type { RetentionCheck } from './retention-check.ts';
import type { KnownSeries } from './series.ts';
import { PARTITIONS } from './settings.ts';
import type { StoreHost } from './store-host.ts';
import { Violation } from './violation.ts';

/** Widths of steps that divide no interval, so that every step begins within the time of some point. */
const STEPS_MS = [170, 700, 2300];
const STEPS = 40;
/** What rounding may change, as a share of a value of at least 1. */
const ROUNDING = 1e-9;

const FOLDS: Readonly<Record<Kind, readonly TimeFoldName[]>> = {
  [KIND.count]: ['sum'],
  [KIND.gauge]: ['avg', 'min', 'max', 'last'],
  [KIND.counter]: ['increase', 'rate'],
  [KIND.reading]: ['avg', 'last', 'increase', 'rate'],
  [KIND.rate]: ['sum'],
  // Percentiles are those of the sketches, which the content check compares.
  [KIND.distribution]: [],
};

/** Compares folded answers of the stores with those of the plain model, which reads every point of a series. */
export class FoldCheck {
  readonly #cluster: Cluster;
  readonly #retention: RetentionCheck;
  readonly #random: Random;
  /** Number of compared steps with a value. */
  steps = 0;

  constructor(cluster: Cluster, retention: RetentionCheck) {
    this.#cluster = cluster;
    this.#retention = retention;
    this.#random = cluster.world.random.fork('folds');
  }

  /** Asks every replica for a part of the run, of each series that it has. */
  async check(applied: readonly AppliedPoint[]): Promise<void> {
    const { stores, ledger } = this.#cluster;
    const bySeries = Map.groupBy(applied, ({ partition, series }) => `${partition}/${series}`);
    const startMs = Math.min(...applied.map(({ timeMs }) => timeMs));
    const spanMs = Math.max(...applied.map(({ timeMs }) => timeMs)) - startMs;
    for (const { name, host } of stores) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        if (host?.points.get(partition) === undefined) continue;
        for (const series of ledger.names.all) {
          const points = bySeries.get(`${partition}/${series.id}`) ?? [];
          const stepMs = STEPS_MS[below(this.#random, STEPS_MS.length)];
          const fromMs = startMs + below(this.#random, spanMs);
          await this.#checkSeries(`${name}, partition ${partition}`, host, partition, series, points, fromMs, stepMs);
        }
      }
    }
  }

  async #checkSeries(
    where: string,
    host: StoreHost,
    partition: number,
    series: KnownSeries,
    points: readonly AppliedPoint[],
    fromMs: number,
    stepMs: number,
  ): Promise<void> {
    const names = FOLDS[series.kind];
    // A fold depends on points before its range.
    const isWhole = !points.some((point) => this.#retention.mayBeGone(point));
    if (names.length === 0 || points.length === 0 || !isWhole) return;
    const fold = names[below(this.#random, names.length)];
    const { groups } = await host.aggregate({
      ...{ partition, metricId: series.metricId, fromMs, toMs: fromMs + STEPS * stepMs, stepMs, maxPoints: 0 },
      ...{ tagsOffset: Number.MAX_SAFE_INTEGER, latenessMs: 0, timeFold: TIME_FOLD[fold], spaceFold: SPACE_FOLD.sum },
      groups: [{ digest: Buffer.alloc(0), series: series.idBytes }],
    });
    const [{ count, sum }] = groups;
    const resolved = resolveSeries(series.kind, points);
    const isAmount = series.kind === KIND.count;
    const steps = { fromMs, stepMs, steps: STEPS };
    const expected = foldPlainly(resolved, steps, TIME_FOLD[fold], isAmount, points[0].intervalMs);
    for (const [step, value] of expected.entries()) {
      const found = count.readDoubleLE(step * 8) > 0 ? sum.readDoubleLE(step * 8) : undefined;
      if (value !== undefined) this.steps++;
      if (isAlike(found, value)) continue;
      throw new Violation(
        'folds-by-the-model',
        `${where}: ${fold} of ${series.metric}{${series.tags}} in the ${stepMs} ms from ${fromMs + step * stepMs} on is ` +
          `${found}, by the plain model ${value}`,
      );
    }
  }
}

/** True for equal values, rounding aside. */
export function isAlike(found: number | undefined, expected: number | undefined): boolean {
  if (found === undefined || expected === undefined) return found === expected;
  return Math.abs(found - expected) <= ROUNDING * Math.max(1, Math.abs(expected));
}
