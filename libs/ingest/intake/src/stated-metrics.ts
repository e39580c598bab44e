import {
  cutTexts,
  INTERVAL_LIMIT_MS,
  KIND,
  type Kind,
  type MetricChange,
  type MetricStatement,
  metricId,
  type PartitionMap,
  partitionOf,
} from '@tidemark/model';
import { type Clock, isFullLog, TidemarkError, type Timer } from '@tidemark/ports';
import { EarlyStatements } from './early-statements.ts';
import { fullLogError } from './full-log.ts';
import type { MetricStatementEntry, TagPublisher } from './tag-publisher.ts';

export interface StatedMetricsOptions {
  readonly clock: Clock;
  readonly map: () => PartitionMap;
  /** Returns all maps that were decided until now. */
  readonly allMaps: () => Promise<Iterable<PartitionMap>>;
  /** Max bytes of a metric's name. */
  readonly metricBytes: number;
  readonly tagsOf: (partition: number) => TagPublisher | undefined;
  readonly signal: AbortSignal;
}

/** Time for which statements are gathered into one record, and between two tries, ms. */
const GATHER_MS = 100;
const RETRY_MS = 1000;
/** Max metrics that are remembered. Beyond, all are forgotten, and their statements are published once more. */
const REMEMBERED = 100_000;
/** How often what is said of a metric may change: senders that contradict each other must not fill the log. */
const MAX_CHANGES = 32;

interface MetricPlace {
  readonly partition: number;
  readonly tenant: string;
  readonly metric: string;
}

interface Said {
  readonly change: MetricChange;
  readonly changes: number;
}

/**
 * Publishes what senders and users state of metrics, in the partition of each. What a protocol repeats is published only
 * when it differs from what it said last.
 */
export class StatedMetrics {
  readonly #options: StatedMetricsOptions;
  /** By source and place, what was said of metrics that have series; `implied` of each metric that has. */
  readonly #said = new Map<string, Said>();
  readonly #early = new EarlyStatements();
  /** By source and place, the statements that wait. */
  readonly #waiting = new Map<string, MetricStatementEntry & { readonly partition: number }>();
  /** Partitions of metrics by `#map`. */
  readonly #partitions = new Map<string, number>();
  #map: PartitionMap | undefined;
  #timer: Timer | undefined;

  constructor(options: StatedMetricsOptions) {
    this.#options = options;
  }

  /**
   * Notes a sender's series, and what its kind implies, which is weaker than what is said in so many words: one point of
   * another kind must not decide for the metric's history. A count and a distribution say it by their class already.
   */
  noteSeries(tenant: string, metric: string, kind: Kind): void {
    const partition = this.#partitionOf(tenant, metric);
    const place = placeOf(partition, tenant, metric);
    const early = this.#early.take(tenant, metric);
    const known = keyOf('implied', place);
    const said = this.#said.get(known);
    if (said === undefined) {
      if (this.#said.size >= REMEMBERED) this.#said.clear();
      this.#said.set(known, { change: {}, changes: 0 });
    }
    if (early !== undefined) this.#note('protocol', place, { partition, tenant, metric }, early);
    const isSaid = kind === KIND.gauge || kind === KIND.counter || kind === KIND.rate;
    if (isSaid && said?.change.kind !== kind) this.#note('implied', place, { partition, tenant, metric }, { kind });
  }

  /** Returns true when a series of the metric was noted, and not forgotten since. */
  hasSeries(tenant: string, metric: string): boolean {
    return this.#said.has(keyOf('implied', placeOf(this.#partitionOf(tenant, metric), tenant, metric)));
  }

  /**
   * Notes what the protocol of a sender says of a metric. It is published once the metric has series. Too long texts are
   * cut; a name that no series can have, and fields that are not valid or take something back, say nothing.
   */
  note(tenant: string, metric: string, said: MetricChange): void {
    const { metricBytes } = this.#options;
    if (metric === '' || Buffer.byteLength(metric) > metricBytes || !metric.isWellFormed()) return;
    const change = validPart(cutTexts(said));
    if (Object.keys(change).length === 0) return;
    const partition = this.#partitionOf(tenant, metric);
    const place = placeOf(partition, tenant, metric);
    if (this.#said.has(keyOf('implied', place))) this.#note('protocol', place, { partition, tenant, metric }, change);
    else this.#early.add(tenant, metric, change);
  }

  #note(source: 'protocol' | 'implied', place: string, of: MetricPlace, change: MetricChange): void {
    const key = keyOf(source, place);
    const { change: before, changes } = this.#said.get(key) ?? { change: {}, changes: 0 };
    // While the log accepts nothing, statements beyond the bound wait for their repetition.
    const isOver = this.#waiting.size >= REMEMBERED && !this.#waiting.has(key);
    if (changes >= MAX_CHANGES || isOver) return;
    const fresh = Object.entries(change).filter(
      ([field, value]) => value !== undefined && before[field as keyof MetricChange] !== value,
    );
    if (fresh.length === 0) return;
    const said = Object.fromEntries(fresh);
    this.#said.set(key, { change: { ...before, ...said }, changes: changes + 1 });
    const waiting = this.#waiting.get(key)?.change;
    this.#waiting.set(key, { ...of, source, change: { ...waiting, ...said } });
    this.#timer ??= this.#options.clock.setTimer(GATHER_MS, () => void this.#publish());
  }

  /**
   * Publishes what a user says, in each partition that has ever had the metric: an earlier one may know what the user said
   * before, which this corrects. Resolves once it is durable in all; throws `unavailable` when the log does not accept it.
   */
  async state(tenant: string, metric: string, change: MetricChange): Promise<void> {
    const { allMaps, tagsOf, signal } = this.#options;
    const id = metricId(tenant, metric);
    const owners = new Set([...(await allMaps())].map((map) => partitionOf(map, id)));
    for (const partition of owners) {
      const tags = tagsOf(partition);
      if (tags === undefined) {
        throw new TidemarkError('unavailable', 'the intake has opened no lane yet; retry', {
          reason: 'intake_not_accepting',
        });
      }
      await tags.publishStatements([{ tenant, metric, source: 'user', change }], signal).catch((error: unknown) => {
        throw isFullLog(error) ? fullLogError(error) : error;
      });
    }
  }

  /** Stops. Statements that still wait are stated again by their senders. */
  stop(): void {
    this.#timer?.cancel();
  }

  async #publish(): Promise<void> {
    const { clock, tagsOf, signal } = this.#options;
    const entries = [...this.#waiting];
    this.#waiting.clear();
    let hasFailed = false;
    for (const [partition, ofPartition] of Map.groupBy(entries, ([, { partition }]) => partition)) {
      try {
        const tags = tagsOf(partition);
        if (tags === undefined) throw new TidemarkError('unavailable', 'no lane is open');
        await tags.publishStatements(
          ofPartition.map(([, entry]) => entry),
          signal,
        );
      } catch {
        hasFailed = true;
        for (const [key, entry] of ofPartition) {
          const change = { ...entry.change, ...this.#waiting.get(key)?.change };
          this.#waiting.set(key, { ...entry, change });
        }
      }
    }
    this.#timer = undefined;
    if (this.#waiting.size === 0 || signal.aborted) return;
    this.#timer = clock.setTimer(hasFailed ? RETRY_MS : GATHER_MS, () => void this.#publish());
  }

  #partitionOf(tenant: string, metric: string): number {
    const map = this.#options.map();
    if (map !== this.#map || this.#partitions.size >= REMEMBERED) {
      this.#map = map;
      this.#partitions.clear();
    }
    const key = `${tenant}\0${metric}`;
    let partition = this.#partitions.get(key);
    if (partition === undefined) {
      partition = partitionOf(map, metricId(tenant, metric));
      this.#partitions.set(key, partition);
    }
    return partition;
  }
}

function validPart({ kind, unit, description, intervalMs }: MetricChange): MetricStatement {
  const isKindOfMetric = kind === KIND.gauge || kind === KIND.counter || kind === KIND.count || kind === KIND.rate;
  const isInterval = Number.isInteger(intervalMs) && intervalMs !== null && intervalMs !== undefined;
  return {
    ...(isKindOfMetric ? { kind } : {}),
    ...(unit ? { unit } : {}),
    ...(description ? { description } : {}),
    ...(isInterval && intervalMs > 0 && intervalMs <= INTERVAL_LIMIT_MS ? { intervalMs } : {}),
  };
}

function keyOf(source: 'protocol' | 'implied', place: string): string {
  return `${source}\n${place}`;
}

function placeOf(partition: number, tenant: string, metric: string): string {
  return `${partition}\n${tenant}\n${metric}`;
}
