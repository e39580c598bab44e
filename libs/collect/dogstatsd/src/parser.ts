import { isNaNWord, parseDecimal, parseInfinity, parseInteger } from './decimal.ts';
import { parseEvent, type StatsdEvent } from './event.ts';
import type { Refusal } from './line-refusal.ts';
import { parseServiceCheck, type ServiceCheck } from './service-check.ts';
import type { DogStatsDLimits } from './statsd-limits.ts';
import { STATSD_TYPE, type StatsdSeries, type StatsdType } from './statsd-series.ts';
import type { StatsdSeriesTable } from './statsd-series-table.ts';

/** Receives the parsed lines. Times are milliseconds; `timestampMs` is NaN for a value without a timestamp. */
export interface ParserSink {
  /** Receives a value. `weight` is 1 / sample rate, at least 1. Both are finite. */
  value(series: StatsdSeries, value: number, weight: number, timestampMs: number): void;
  /** Receives the value of a gauge that has a sign, without a timestamp of its own; `bytes[from, to)` is its text. */
  signedGauge(series: StatsdSeries, value: number, bytes: Uint8Array, from: number, to: number): void;
  member(series: StatsdSeries, member: string): void;
  event(event: StatsdEvent): void;
  serviceCheck(check: ServiceCheck): void;
  /**
   * Receives a refusal. `bytes[from, to)` is the dropped line; of a list of values, the valid ones are kept. `values` is
   * how many are dropped: 1 for a line whose values are unknown.
   */
  refused(reason: Refusal, bytes: Uint8Array, from: number, to: number, values?: number): void;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const COLON = 0x3a;
const PIPE = 0x7c;
const PLUS = 0x2b;
const MINUS = 0x2d;
const AT = 0x40;
const HASH = 0x23;
const UNDERSCORE = 0x5f;
const LOWER_C = 0x63;
const LOWER_D = 0x64;
const LOWER_E = 0x65;
const LOWER_G = 0x67;
const LOWER_H = 0x68;
const LOWER_M = 0x6d;
const LOWER_S = 0x73;
const UPPER_T = 0x54;
const OPEN_BRACE = 0x7b;

/**
 * Parses DogStatsD datagrams (protocol 1.0-1.3, docs/agent.md) from bytes into a sink. It refuses each bad line by
 * itself, and never throws on input. Unknown fields (`c:`, `e:`, `card:` …) are skipped, as by Datadog's agent.
 */
export class DogStatsDParser {
  readonly #table: StatsdSeriesTable;
  readonly #sink: ParserSink;
  readonly #limits: DogStatsDLimits;
  #refusedValues = 1;

  constructor(table: StatsdSeriesTable, sink: ParserSink, limits: DogStatsDLimits) {
    this.#table = table;
    this.#sink = sink;
    this.#limits = limits;
  }

  /** Parses the lines of `bytes[from, to)`. The bytes are not kept. */
  parse(bytes: Uint8Array, from = 0, to = bytes.length): void {
    const lines = bytes.subarray(from, to);
    for (let start = 0; start < lines.length; ) {
      const newline = lines.indexOf(NEWLINE, start);
      const end = newline < 0 ? lines.length : newline;
      const last = end > start && lines[end - 1] === RETURN ? end - 1 : end;
      if (last > start) this.#line(lines, start, last);
      start = end + 1;
    }
  }

  #line(bytes: Uint8Array, from: number, to: number): void {
    if (bytes[from] === UNDERSCORE && to - from > 3) {
      const onBadField = (): void => this.#sink.refused('field_invalid', bytes, from, to);
      if (bytes[from + 1] === LOWER_E && bytes[from + 2] === OPEN_BRACE) {
        const event = parseEvent(bytes, from, to, this.#limits.point, onBadField);
        if (event === undefined) this.#sink.refused('event_malformed', bytes, from, to);
        else this.#sink.event(event);
        return;
      }
      if (bytes[from + 1] === LOWER_S && bytes[from + 2] === LOWER_C && bytes[from + 3] === PIPE) {
        const check = parseServiceCheck(bytes, from, to, this.#limits.point, onBadField);
        if (check === undefined) this.#sink.refused('service_check_malformed', bytes, from, to);
        else this.#sink.serviceCheck(check);
        return;
      }
    }
    this.#refusedValues = 1;
    const refusal = this.#metric(bytes, from, to);
    if (refusal !== undefined) this.#sink.refused(refusal, bytes, from, to, this.#refusedValues);
  }

  /** Returns why the line is refused; `#refusedValues` is then how many values it loses. */
  #metric(bytes: Uint8Array, from: number, to: number): Refusal | undefined {
    let nameTo = from;
    while (nameTo < to && bytes[nameTo] !== COLON && bytes[nameTo] !== PIPE) nameTo++;
    if (nameTo === to || bytes[nameTo] !== COLON) return 'line_malformed';
    if (nameTo === from) return 'metric_empty';
    const valuesFrom = nameTo + 1;
    const valuesTo = fieldEnd(bytes, valuesFrom, to);
    if (valuesTo === to) return 'line_malformed';
    const typeTo = fieldEnd(bytes, valuesTo + 1, to);
    const type = typeOf(bytes, valuesTo + 1, typeTo);
    if (type === 0) return 'type_unknown';
    if (type !== STATSD_TYPE.set) this.#refusedValues = valuesIn(bytes, valuesFrom, valuesTo);

    let weight = 1;
    let timestampMs = Number.NaN;
    let tagsFrom = to;
    let tagsTo = to;
    for (let fieldFrom = typeTo + 1; fieldFrom < to; ) {
      const fieldTo = fieldEnd(bytes, fieldFrom, to);
      const mark = bytes[fieldFrom];
      if (mark === HASH) {
        tagsFrom = fieldFrom + 1;
        tagsTo = fieldTo;
      } else if (mark === AT) {
        const rate = parseDecimal(bytes, fieldFrom + 1, fieldTo);
        if (!(rate >= this.#limits.sampleRate && rate <= 1)) {
          return 'sample_rate_invalid';
        }
        weight = occurrences(rate);
      } else if (mark === UPPER_T) {
        const seconds = parseInteger(bytes, fieldFrom + 1, fieldTo);
        if (seconds <= 0) return 'timestamp_invalid';
        timestampMs = seconds * 1000;
      }
      fieldFrom = fieldTo + 1;
    }
    // Only counts and gauges have values that need no aggregation with others of their interval.
    if (!Number.isNaN(timestampMs) && type !== STATSD_TYPE.count && type !== STATSD_TYPE.gauge) {
      return 'timestamp_type_unsupported';
    }
    const series = this.#table.find(bytes, from, nameTo, type, tagsFrom, tagsTo);
    if (typeof series === 'string') return series;
    return type === STATSD_TYPE.set
      ? this.#setMember(series, bytes, valuesFrom, valuesTo)
      : this.#values(series, bytes, valuesFrom, valuesTo, weight, timestampMs, from, to);
  }

  #value(bytes: Uint8Array, from: number, to: number): number {
    const value = parseDecimal(bytes, from, to);
    return Number.isNaN(value) ? parseInfinity(bytes, from, to) : value;
  }

  #setMember(series: StatsdSeries, bytes: Uint8Array, valueFrom: number, valueTo: number): Refusal | undefined {
    if (valueTo === valueFrom) return 'value_empty';
    if (valueTo - valueFrom > this.#limits.setMemberBytes) {
      return 'set_member_bytes_limit';
    }
    // Members are only compared, and Latin-1 keeps any two distinct byte sequences distinct.
    const member = Buffer.from(bytes.buffer, bytes.byteOffset + valueFrom, valueTo - valueFrom).toString('latin1');
    this.#sink.member(series, member);
    return undefined;
  }

  #values(
    series: StatsdSeries,
    bytes: Uint8Array,
    valuesFrom: number,
    valuesTo: number,
    weight: number,
    timestampMs: number,
    from: number,
    to: number,
  ): Refusal | undefined {
    let left = this.#limits.valuesPerLine;
    for (let valueFrom = valuesFrom; valueFrom <= valuesTo; ) {
      let valueTo = valueFrom;
      while (valueTo < valuesTo && bytes[valueTo] !== COLON) valueTo++;
      if (left-- === 0) {
        this.#refusedValues = valuesIn(bytes, valueFrom, valuesTo);
        return 'values_per_line_limit';
      }
      const value = this.#value(bytes, valueFrom, valueTo);
      const isGauge = series.type === STATSD_TYPE.gauge;
      if (Number.isNaN(value)) this.#sink.refused(valueRefusal(bytes, valueFrom, valueTo), bytes, from, to);
      else if (!isGauge && !Number.isFinite(value)) this.#sink.refused('value_infinite', bytes, from, to);
      else if (isGauge && Number.isFinite(value) && isSigned(bytes[valueFrom]) && Number.isNaN(timestampMs)) {
        this.#sink.signedGauge(series, value, bytes, valueFrom, valueTo);
      } else this.#sink.value(series, value, weight, timestampMs);
      valueFrom = valueTo + 1;
    }
    return undefined;
  }
}

/** Number of values between colons. */
function valuesIn(bytes: Uint8Array, from: number, to: number): number {
  let values = 1;
  for (let at = from; at < to; at++) if (bytes[at] === COLON) values++;
  return values;
}

function isSigned(first: number): boolean {
  return first === PLUS || first === MINUS;
}

function valueRefusal(bytes: Uint8Array, from: number, to: number): Refusal {
  if (from === to) return 'value_empty';
  return isNaNWord(bytes, from, to) ? 'value_nan' : 'value_invalid';
}

/** Returns 1 / rate, rounded to a whole number when it differs from one only by float rounding. */
function occurrences(rate: number): number {
  const weight = 1 / rate;
  const whole = Math.round(weight);
  return Math.abs(weight - whole) <= weight * 1e-12 ? whole : weight;
}

/** Returns the end of the `|`-separated field that begins at `from`. */
function fieldEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== PIPE) at++;
  return at;
}

function typeOf(bytes: Uint8Array, from: number, to: number): StatsdType | 0 {
  if (to - from === 2) return bytes[from] === LOWER_M && bytes[from + 1] === LOWER_S ? STATSD_TYPE.histogram : 0;
  if (to - from !== 1) return 0;
  switch (bytes[from]) {
    case LOWER_C:
      return STATSD_TYPE.count;
    case LOWER_G:
      return STATSD_TYPE.gauge;
    case LOWER_H:
      return STATSD_TYPE.histogram;
    case LOWER_D:
      return STATSD_TYPE.distribution;
    case LOWER_S:
      return STATSD_TYPE.set;
    default:
      return 0;
  }
}
