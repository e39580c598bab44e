import { KIND, type Kind } from '@tidemark/model';
import type { DDSketch } from '@tidemark/sketch';
import type { StatsdEvent } from './event.ts';
import { Histogram } from './histogram.ts';
import { type Refusal, RefusalCounts } from './line-refusal.ts';
import type { ParserSink } from './parser.ts';
import type { ServiceCheck } from './service-check.ts';
import type { DogStatsDLimits } from './statsd-limits.ts';
import { STATSD_TYPE, type StatsdSeries } from './statsd-series.ts';
import type { StatsdSeriesTable } from './statsd-series-table.ts';

/** Suffixes of the metrics that a series emits: none, or one for each aggregate of a histogram. */
export const METRIC_SUFFIXES = ['', '.avg', '.count', '.median', '.95percentile', '.max'] as const;
const [PLAIN, AVG, COUNT, MEDIAN, PERCENTILE_95, MAX] = [0, 1, 2, 3, 4, 5];

/** Receives the aggregates. `suffix` is an index into `METRIC_SUFFIXES`. */
export interface AggregateOutput {
  point(series: StatsdSeries, suffix: number, kind: Kind, value: number, timestampMs: number): void;
  /** The receiver owns the sketch. */
  sketch(series: StatsdSeries, sketch: DDSketch, timestampMs: number): void;
  serviceCheck(check: ServiceCheck): void;
}

export interface AggregatorCounts {
  /** Accepted values before aggregation, including members of sets. What is refused counts in `refused` alone. */
  readonly values: number;
  /** Values of gauges with a sign that set the gauge, because `gaugeDeltas` is off. */
  readonly signedGauges: number;
  /** The first of them, as `metric:+5`; empty when there is none. */
  readonly signedGaugeExample: string;
  readonly events: number;
  readonly serviceChecks: number;
  /** Series active in the current interval. */
  readonly activeSeries: number;
  /** Series known, active or idle. */
  readonly knownSeries: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly examples: Readonly<Record<string, string>>;
}

/**
 * Aggregates the values of a flush interval as Datadog's agent does (docs/agent.md has the table). Values with a
 * timestamp of their own are passed on at once. A series without values in the interval emits nothing.
 */
export class Aggregator implements ParserSink {
  readonly #table: StatsdSeriesTable;
  readonly #output: AggregateOutput;
  readonly #limits: DogStatsDLimits;
  readonly #idleIntervals: number;
  readonly #refusals = new RefusalCounts();
  readonly #events: StatsdEvent[] = [];
  readonly #serviceChecks: ServiceCheck[] = [];
  #active: StatsdSeries[] = [];
  #setMembers = 0;
  #sketches = 0;
  #values = 0;
  #signedGauges = 0;
  #signedGaugeExample = '';
  #eventCount = 0;
  #serviceCheckCount = 0;

  /** Series not seen for `idleIntervals` intervals are forgotten. */
  constructor(table: StatsdSeriesTable, output: AggregateOutput, limits: DogStatsDLimits, idleIntervals: number) {
    this.#table = table;
    this.#output = output;
    this.#limits = limits;
    this.#idleIntervals = idleIntervals;
  }

  value(series: StatsdSeries, value: number, weight: number, timestampMs: number): void {
    if (!Number.isNaN(timestampMs)) {
      if (!this.#passThrough(series, value, weight, timestampMs)) return;
    } else if (series.type === STATSD_TYPE.count) {
      const sum = series.value + value * weight;
      if (!this.#isFinite(series, sum)) return;
      if (!series.active) this.#activate(series);
      series.value = sum;
    } else if (series.type === STATSD_TYPE.gauge) {
      if (!series.active) this.#activate(series);
      series.value = series.level = value;
    } else {
      const histogram = series.histogram ?? this.#beginHistogram(series);
      if (histogram === undefined || !this.#hasRoom(histogram)) return;
      histogram.add(value, weight);
    }
    this.#values++;
  }

  signedGauge(series: StatsdSeries, value: number, bytes: Uint8Array, from: number, to: number): void {
    if (!this.#limits.gaugeDeltas && this.#signedGauges++ === 0) {
      this.#signedGaugeExample = `${series.metric}:${Buffer.from(bytes.subarray(from, to)).toString('latin1')}|g`;
    }
    this.value(series, this.#limits.gaugeDeltas ? series.level + value : value, 1, Number.NaN);
  }

  member(series: StatsdSeries, member: string): void {
    const members = series.members;
    if (members?.has(member)) {
      this.#values++;
      return;
    }
    if (this.#setMembers >= this.#limits.setMembers) {
      this.#refusals.addIn('set_members_limit', series.metric);
      return;
    }
    this.#values++;
    this.#setMembers++;
    if (members === undefined) {
      this.#activate(series);
      series.members = new Set([member]);
    } else {
      members.add(member);
    }
  }

  event(event: StatsdEvent): void {
    this.#eventCount++;
    pushBounded(this.#events, event, this.#limits.keptEvents);
  }

  serviceCheck(check: ServiceCheck): void {
    this.#serviceCheckCount++;
    pushBounded(this.#serviceChecks, check, this.#limits.keptServiceChecks);
    this.#output.serviceCheck(check);
  }

  refused(reason: Refusal, bytes?: Uint8Array, from?: number, to?: number, values?: number): void {
    this.#refusals.add(reason, bytes, from, to, values);
  }

  /** Emits the interval's aggregates, stamped `timestampMs`, and begins the next. Returns how many series had any. */
  flush(timestampMs: number): number {
    const active = this.#active;
    this.#active = [];
    this.#setMembers = 0;
    this.#sketches = 0;
    for (const series of active) this.#emit(series, timestampMs);
    this.#table.nextInterval();
    // It visits all series, so it does not run at every flush.
    if (this.#table.interval % Math.max(1, this.#idleIntervals >> 2) === 0) this.#table.forgetIdle(this.#idleIntervals);
    return active.length;
  }

  /** The newest events, oldest first. */
  events(): readonly StatsdEvent[] {
    return this.#events;
  }

  serviceChecks(): readonly ServiceCheck[] {
    return this.#serviceChecks;
  }

  counts(): AggregatorCounts {
    return {
      values: this.#values,
      signedGauges: this.#signedGauges,
      signedGaugeExample: this.#signedGaugeExample,
      events: this.#eventCount,
      serviceChecks: this.#serviceCheckCount,
      activeSeries: this.#active.length,
      knownSeries: this.#table.size,
      refused: this.#refusals.byReason(),
      examples: this.#refusals.examples(),
    };
  }

  /** Returns false, and counts the value as refused, when it can't be a point. */
  #passThrough(series: StatsdSeries, value: number, weight: number, timestampMs: number): boolean {
    series.lastInterval = this.#table.interval;
    if (series.type === STATSD_TYPE.count) {
      if (!this.#isFinite(series, value * weight)) return false;
      this.#point(series, PLAIN, KIND.count, value * weight, timestampMs);
    } else {
      series.level = value;
      this.#point(series, PLAIN, KIND.gauge, value, timestampMs);
    }
    return true;
  }

  /** A value whose sum with the others is beyond a float is refused alone. */
  #isFinite(series: StatsdSeries, sum: number): boolean {
    if (Number.isFinite(sum)) return true;
    this.#refusals.addIn('value_infinite', series.metric);
    return false;
  }

  /** Begins the interval of a histogram or distribution; undefined at the limit of sketches. */
  #beginHistogram(series: StatsdSeries): Histogram | undefined {
    const histogram = new Histogram();
    if (series.type === STATSD_TYPE.distribution && !this.#spill(histogram)) return undefined;
    this.#activate(series);
    series.histogram = histogram;
    return histogram;
  }

  /** Returns true when one more value fits: exactly, or in a sketch beyond `limits.exactValues`. */
  #hasRoom(histogram: Histogram): boolean {
    if (histogram.sketch !== undefined || histogram.kept < this.#limits.exactValues) return true;
    return this.#spill(histogram);
  }

  #spill(histogram: Histogram): boolean {
    if (this.#sketches >= this.#limits.sketches) {
      this.#refusals.add('sketches_limit');
      return false;
    }
    this.#sketches++;
    histogram.spill();
    return true;
  }

  #activate(series: StatsdSeries): void {
    series.active = true;
    series.lastInterval = this.#table.interval;
    this.#active.push(series);
  }

  #emit(series: StatsdSeries, timestampMs: number): void {
    switch (series.type) {
      case STATSD_TYPE.count:
        this.#point(series, PLAIN, KIND.count, series.value, timestampMs);
        break;
      case STATSD_TYPE.gauge:
        this.#point(series, PLAIN, KIND.gauge, series.value, timestampMs);
        break;
      case STATSD_TYPE.set:
        this.#point(series, PLAIN, KIND.gauge, series.members?.size ?? 0, timestampMs);
        break;
      default:
        this.#emitHistogram(series, timestampMs);
    }
    series.active = false;
    series.value = 0;
    series.histogram = undefined;
    series.members = undefined;
  }

  #emitHistogram(series: StatsdSeries, timestampMs: number): void {
    const histogram = series.histogram;
    if (histogram === undefined) return;
    if (series.type === STATSD_TYPE.distribution) {
      if (histogram.sketch !== undefined) this.#output.sketch(series, histogram.sketch, timestampMs);
      return;
    }
    const count = histogram.count;
    const [median, percentile95] = histogram.quantiles([0.5, 0.95]);
    this.#point(series, AVG, KIND.gauge, histogram.avg, timestampMs);
    this.#point(series, COUNT, KIND.count, count, timestampMs);
    this.#point(series, MEDIAN, KIND.gauge, median, timestampMs);
    this.#point(series, PERCENTILE_95, KIND.gauge, percentile95, timestampMs);
    this.#point(series, MAX, KIND.gauge, histogram.max, timestampMs);
  }

  /** Emits a point. The average of a histogram can overflow: it is refused here, before the intake would. */
  #point(series: StatsdSeries, suffix: number, kind: Kind, value: number, timestampMs: number): void {
    const isInfiniteGauge = series.type === STATSD_TYPE.gauge && !Number.isNaN(value);
    if (Number.isFinite(value) || isInfiniteGauge) this.#output.point(series, suffix, kind, value, timestampMs);
    else this.#refusals.addIn(Number.isNaN(value) ? 'value_nan' : 'value_infinite', series.metric);
  }
}

function pushBounded<T>(list: T[], item: T, limit: number): void {
  list.push(item);
  if (list.length > limit) list.shift();
}
