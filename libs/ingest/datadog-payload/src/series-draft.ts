import { INTERVAL_LIMIT_MS, type KindName } from '@tidemark/model';
import type { KnownNames } from './known-names.ts';
import type { DatadogLimits } from './limits.ts';
import type { PointSink } from './point-sink.ts';
import { tooLarge } from './request-refusal.ts';

/** Numbers of the field `type`, in both JSON and protobuf. */
export const DATADOG_TYPE = { unspecified: 0, count: 1, rate: 2, gauge: 3 } as const;

/** Why a series is refused, or points of a series that is not. */
interface Refusal {
  readonly reason: string;
  readonly field: string;
  readonly limit: string;
}

const INITIAL_POINTS = 64;
/** Max characters of a name in a message. */
const SHOWN_CHARS = 200;
/** The Agent states its flush interval for the gauges of DogStatsD, however rarely they are set. A longer one is meant, s. */
const AGENT_FLUSH_S = 10;
/** Highest absolute second that JavaScript's dates can represent. */
const LATEST_S = 8_640_000_000_000;

/**
 * One series of a payload. It gathers the fields in the order of the encoding, then passes the series on at once, since
 * type and tags may follow the points. It is reused for the next series, and counts the series and points of the whole
 * body.
 */
export class SeriesDraft {
  metric = '';
  /** Type as sent; NaN if it is not a number. */
  type: number = DATADOG_TYPE.unspecified;
  /** The sent type when it is not a number, for the message. */
  typeFound: string | undefined;
  /** The first sent time that can't be stored, for the message. */
  timeFound: string | undefined;
  /** Interval in seconds; NaN if it is not a number. */
  interval = 0;
  /** Unit of the values, as sent; empty for none. */
  unit = '';
  readonly #sink: PointSink;
  readonly #limits: DatadogLimits;
  readonly #names: KnownNames | undefined;
  #tags: string[] = [];
  #tagsSent = 0;
  #refusal: Refusal | undefined;
  #handle: number | undefined;
  #timesS = new Float64Array(INITIAL_POINTS);
  #values = new Float64Array(INITIAL_POINTS);
  #points = 0;
  /** Kind of all series of the protocol; undefined where the type determines it. */
  #fixedKind: KindName | undefined;
  #sketches: { readonly timeS: number; readonly packed: Uint8Array }[] = [];
  #badValues = 0;
  /** True when each value is a number, which may be NaN. */
  hasTypedValues = false;
  readonly #refusedPoints = new Map<string, Refusal & { points: number }>();
  #allSketches = 0;
  #allSeries = 0;
  #allPoints = 0;

  /** With `names`, each series is named to the sink only once. */
  constructor(sink: PointSink, limits: DatadogLimits, names?: KnownNames) {
    this.#sink = sink;
    this.#names = names;
    this.#limits = limits;
  }

  /** Number of points of this series so far. */
  get points(): number {
    return this.#points;
  }

  /** Handle of this series in the sink, after `end`; undefined if it was refused here or has no points. */
  get handle(): number | undefined {
    return this.#handle;
  }

  /** Factor for values: a rate becomes the amount of its interval. */
  get scale(): number {
    return this.type === DATADOG_TYPE.rate && this.interval > 0 ? this.interval : 1;
  }

  /** Begins the next series. `kind` is its kind where the protocol has no types. */
  begin(kind?: KindName): void {
    if (++this.#allSeries > this.#limits.series) {
      throw tooLarge('series', this.#limits.series, 'too many series in one request');
    }
    this.#fixedKind = kind;
    this.#clear();
  }

  /** Begins the same series again, and discards its fields. */
  restart(): void {
    this.#allPoints -= this.#points;
    this.#clear();
  }

  #clear(): void {
    this.metric = '';
    this.type = DATADOG_TYPE.unspecified;
    this.typeFound = undefined;
    this.timeFound = undefined;
    this.interval = 0;
    this.unit = '';
    this.#tags = [];
    this.#tagsSent = 0;
    this.#refusal = undefined;
    this.#handle = undefined;
    this.#points = 0;
    this.#sketches = [];
    this.#badValues = 0;
    this.#refusedPoints.clear();
  }

  /** Adds a tag. Empty tags and Datadog's internal ones are not properties of the series, and are ignored. */
  tag(tag: string): void {
    const trimmed = tag.trim();
    if (trimmed.length === 0 || trimmed.startsWith('dd.internal.') || this.#isOverTags()) return;
    this.#tags.push(trimmed);
  }

  /** Adds a resource as the tag `type:name`. Agents send a host without a name when there is no host. */
  resource(type: string, name: string): void {
    if (name.length === 0 || this.#isOverTags()) return;
    if (type.length === 0) this.refuse('resource_type_empty', 'resources.type', 'at least 1 byte');
    else this.#tags.push(`${type}:${name}`);
  }

  /** Adds a point. `timeS` and `value` are NaN when the sent value is not a number. */
  point(timeS: number, value: number): void {
    if (++this.#allPoints > this.#limits.points) {
      throw tooLarge('points', this.#limits.points, 'too many points in one request');
    }
    if (this.#points === this.#timesS.length) this.#grow();
    this.#timesS[this.#points] = timeS;
    this.#values[this.#points++] = value;
  }

  /** Adds a packed sketch. `timeS` is NaN when the sent value is not a number. */
  sketch(timeS: number, packed: Uint8Array): void {
    if (++this.#allSketches > this.#limits.sketches) {
      throw tooLarge('sketches', this.#limits.sketches, 'too many points of distributions in one request');
    }
    this.#sketches.push({ timeS, packed });
  }

  /** Refuses one value of a point, which is not a finite number. */
  badValue(): void {
    this.#badValues++;
  }

  /** Refuses one point of the series for a reason of the protocol. */
  refusePoint(reason: string, field: string, limit: string): void {
    const known = this.#refusedPoints.get(reason);
    if (known === undefined) this.#refusedPoints.set(reason, { reason, field, limit, points: 1 });
    else known.points++;
  }

  /** Refuses the whole series. The first reason is the one that is reported. */
  refuse(reason: string, field: string, limit: string): void {
    this.#refusal ??= { reason, field, limit };
  }

  /** Passes the series on. Counts the points of a refused series, and at least one if they cannot be counted. */
  end(): void {
    const kind = this.#kind();
    const refusal = this.#refusal;
    if (kind === undefined || refusal !== undefined) {
      const { reason, field, limit } = refusal ?? unknownType;
      const points = this.#points + this.#sketches.length + this.#badValues;
      this.#sink.reject(reason, field, limit, Math.max(1, points), this.#example(reason));
      return;
    }
    for (const { reason, field, limit, points } of this.#refusedPoints.values()) {
      this.#sink.reject(reason, field, limit, points, this.#example(reason));
    }
    if (this.#points + this.#sketches.length === 0) {
      this.#rejectValues(this.#badValues);
      return;
    }
    const name = { metric: this.metric, kind, tags: this.#tags, intervalMs: this.#statedIntervalMs(kind) };
    this.#handle = this.#names?.handle(this.#sink, name) ?? this.#sink.series(name);
    if (this.unit !== '') this.#sink.describe(this.metric, { unit: this.unit });
    this.endAs(this.#handle, this.scale);
  }

  /** The reporting interval that the fields state, ms; 0 without one. */
  #statedIntervalMs(kind: KindName): number {
    const fromS = kind === 'count' ? 0 : AGENT_FLUSH_S;
    const toS = kind === 'count' ? this.#limits.intervalS : INTERVAL_LIMIT_MS / 1000;
    return this.interval > fromS && this.interval <= toS ? Math.round(this.interval * 1000) : 0;
  }

  /** Passes the points on as those of a known series, and ignores all other fields. */
  endAs(handle: number, scale: number): void {
    let badTimes = 0;
    let badValues = this.#badValues;
    for (let i = 0; i < this.#points; i++) {
      const timeS = this.#timesS[i];
      const value = scale === 1 ? this.#values[i] : amountOf(this.#values[i], scale);
      if (!this.#isTime(timeS)) badTimes++;
      else if (Number.isNaN(value)) badValues++;
      else this.#sink.point(handle, Math.round(timeS * 1000), value);
    }
    for (const { timeS, packed } of this.#sketches) {
      if (this.#isTime(timeS)) this.#sink.sketch(handle, Math.round(timeS * 1000), packed);
      else badTimes++;
    }
    if (badTimes > 0) this.#rejectPoints('timestamp_invalid', 'points.timestamp', 'seconds since the epoch', badTimes);
    // In JSON it is a value of another type; protobuf has numbers alone.
    if (this.hasTypedValues && badValues > 0) this.#rejectPoints('value_nan', 'points.value', 'a number', badValues);
    else this.#rejectValues(badValues);
  }

  /** Returns whether a time can be stored; the first one that can't is for the message. */
  #isTime(timeS: number): boolean {
    if (Math.abs(timeS) <= LATEST_S) return true;
    if (!Number.isNaN(timeS)) this.timeFound ??= String(timeS);
    return false;
  }

  #rejectValues(count: number): void {
    if (count > 0) this.#rejectPoints('value_invalid', 'points.value', 'a number', count);
  }

  #rejectPoints(reason: string, field: string, limit: string, points: number): void {
    this.#sink.reject(reason, field, limit, points, this.#example(reason));
  }

  /**
   * Returns an example for the message of a refusal: the metric, with the value of a wrong type or time. A known
   * series has no example, since its name was not decoded.
   */
  #example(reason: string): string | undefined {
    if (this.metric === '') return undefined;
    const metric = `metric ${this.metric.slice(0, SHOWN_CHARS)}`;
    if (reason === 'timestamp_invalid' && this.timeFound !== undefined)
      return `timestamp ${this.timeFound} of ${metric}`;
    if (reason === 'status_unknown') return `status ${this.typeFound} of ${metric}`;
    return reason === 'type_unknown' ? `type ${this.typeFound ?? this.type} of ${metric}` : metric;
  }

  /**
   * Returns the kind of the series. A rate with an interval is the amount of that interval, so it can be summed over
   * time and queried by as_count and as_rate. Without an interval the amount is unknown: the rate is a gauge.
   */
  #kind(): KindName | undefined {
    if (this.#fixedKind !== undefined) return this.#fixedKind;
    switch (this.type) {
      case DATADOG_TYPE.unspecified:
      case DATADOG_TYPE.gauge:
        return 'gauge';
      case DATADOG_TYPE.count:
      case DATADOG_TYPE.rate:
        if (this.interval >= 0 && this.interval <= this.#limits.intervalS) {
          return this.type === DATADOG_TYPE.rate && this.interval === 0 ? 'gauge' : 'count';
        }
        // Without it an amount would belong to one moment, or be a wrong part of each step.
        this.refuse('interval_invalid', 'interval', `0 to ${this.#limits.intervalS} seconds`);
        return undefined;
      default:
        return undefined;
    }
  }

  #isOverTags(): boolean {
    if (++this.#tagsSent <= this.#limits.seriesTags) return false;
    this.refuse('too_many_tags', 'tags', `${this.#limits.seriesTags} tags and resources`);
    return true;
  }

  #grow(): void {
    const timesS = new Float64Array(this.#points * 2);
    const values = new Float64Array(this.#points * 2);
    timesS.set(this.#timesS);
    values.set(this.#values);
    this.#timesS = timesS;
    this.#values = values;
  }
}

const unknownType: Refusal = { reason: 'type_unknown', field: 'type', limit: '0, 1, 2 or 3; 3 is a gauge' };

/**
 * Returns the amount of a rate over its interval. A whole amount that was divided by the interval becomes whole again:
 * the product may differ in its last bits, and counts that add up to 2.9999999999999996 are a surprise.
 */
function amountOf(rate: number, intervalS: number): number {
  const amount = rate * intervalS;
  const whole = Math.round(amount);
  return Math.abs(amount - whole) <= Math.abs(amount) * 2 ** -52 ? whole : amount;
}
