import { isUtf8 } from 'node:buffer';
import { isTidemarkError } from '@tidemark/ports';
import { BadLineCounts, type BadLines } from './bad-lines.ts';
import { commentLine, commentLines } from './comment-lines.ts';
import { DescribedMetrics, type MetricText } from './described-metrics.ts';
import type { ExpositionFormat } from './exposition-format.ts';
import { type Family, type FamilyType, familyOf, isFamilyType, isMember, roleOf } from './family.ts';
import { parseValue } from './number-text.ts';
import {
  endOfLabels,
  endOfSeries,
  isBlank,
  parseLabels,
  parseSeries,
  skipBlanks,
  type TypedSeries,
} from './series-text.ts';

export interface ExpositionLimits {
  /** Max samples accepted from one body. */
  readonly samples: number;
  /** Max series known at a time, which includes those of the last few bodies. */
  readonly series: number;
  /** Max characters of one line. */
  readonly lineCharacters: number;
}

export const DEFAULT_EXPOSITION_LIMITS: ExpositionLimits = {
  samples: 50_000,
  series: 50_000,
  lineCharacters: 65_536,
};

export interface ExpositionParserOptions<S> {
  /**
   * Called once for each series; later bodies reuse the result. It may throw `invalid_argument` with a `reason` in its
   * detail: the samples of the series are then counted under that reason.
   */
  readonly resolve: (series: TypedSeries) => S;
  readonly limits?: ExpositionLimits;
}

/** Receives a good sample. `timestampMs` is in ms since the Unix epoch, where the line has a timestamp. */
export type OnSample<S> = (series: S, value: number, timestampMs: number | undefined) => void;

export interface ParseOptions {
  /** The body was cut at a limit: its last line may be incomplete, and its end mark may be absent. */
  readonly isCut?: boolean;
  /** Receives what the body says of a metric that has samples, when an earlier body did not say the same. */
  readonly onDescribed?: (metric: string, text: MetricText) => void;
}

export interface ExpositionReport {
  /** Accepted samples. */
  readonly samples: number;
  readonly lines: number;
  /** Lines left out, by reason. */
  readonly bad: ReadonlyMap<string, BadLines>;
}

interface KnownSeries<S> {
  readonly name: string;
  /** The family under which it was resolved; under another one it is resolved again. */
  readonly family: Family | undefined;
  /** Result of `resolve`; undefined when its samples are not kept. */
  readonly resolved: S | undefined;
  /** Reason under which its samples are counted; undefined for creation times, which are left out uncounted. */
  readonly refused: string | undefined;
  readonly mayBeInfinite: boolean;
  body: number;
}

/** Number of bodies after which an absent series may be removed. */
const IDLE_BODIES = 4;
const HASH = 0x23;

/**
 * Reads one target's expositions, one body after the other: Prometheus text 0.0.4 and OpenMetrics 1.0
 * (https://prometheus.io/docs/specs/om/open_metrics_spec/). Good samples of a body are accepted, bad lines are
 * counted by reason. Series are found by their text, so names and labels are parsed once and not in each body.
 */
export class ExpositionParser<S> {
  readonly #options: ExpositionParserOptions<S>;
  readonly #limits: ExpositionLimits;
  readonly #series = new Map<string, KnownSeries<S>>();
  readonly #families = new Map<string, Family>();
  /** The families that the body states, wherever its `# TYPE` lines stand; of two for one name the first. */
  readonly #stated = new Map<string, Family>();
  readonly #described: DescribedMetrics;
  #body = 0;
  #format: ExpositionFormat = 'text';
  #family: Family | undefined;
  #bad = new BadLineCounts();
  #samples = 0;
  #line = 0;
  #ended = false;
  #onSample: OnSample<S> = () => undefined;

  constructor(options: ExpositionParserOptions<S>) {
    this.#options = options;
    this.#limits = options.limits ?? DEFAULT_EXPOSITION_LIMITS;
    this.#described = new DescribedMetrics(this.#limits.series);
  }

  /** Number of known series, including refused ones. */
  get series(): number {
    return this.#series.size;
  }

  /** Passes each good sample to `onSample`, in the order of the body, also of a series that the body repeats. */
  parse(
    body: string | Uint8Array,
    format: ExpositionFormat,
    onSample: OnSample<S>,
    { isCut = false, onDescribed }: ParseOptions = {},
  ): ExpositionReport {
    this.#body++;
    this.#format = format;
    this.#family = undefined;
    this.#bad = new BadLineCounts();
    this.#samples = 0;
    this.#line = 0;
    this.#ended = false;
    this.#onSample = onSample;
    const isText = typeof body === 'string' || isUtf8(body);
    const text = typeof body === 'string' ? body : bufferOf(body).toString('utf8');
    this.#collectFamilies(text, isCut);
    this.#described.read(text, this.#limits.lineCharacters, isCut);
    if (isText) this.#lines(text, isCut);
    else this.#linesOfBytes(bufferOf(body), isCut);
    if (format === 'openmetrics' && !this.#ended && !isCut) this.#bad.add('eof_missing', 0, '');
    this.#forgetIdle();
    if (onDescribed !== undefined) this.#described.report(onDescribed);
    return { samples: this.#samples, lines: this.#line, bad: this.#bad.byReason };
  }

  /** Finds the types before the samples are read, because some exporters state them elsewhere than above the samples. */
  #collectFamilies(text: string, isCut: boolean): void {
    this.#stated.clear();
    for (const { name, text: type } of commentLines(text, 'TYPE', this.#limits.lineCharacters, isCut)) {
      const stated = type.toLowerCase();
      if (!isFamilyType(stated) || this.#stated.has(name)) continue;
      if (this.#stated.size >= this.#limits.series) return;
      const family = this.#familyOf(name, stated);
      this.#stated.set(family.name, family);
    }
  }

  #lines(text: string, isCut: boolean): void {
    let from = 0;
    while (from < text.length) {
      const feed = text.indexOf('\n', from);
      if (feed < 0 && this.#isCutOff(text.slice(from), isCut)) return;
      const to = feed < 0 ? text.length : feed;
      this.#readLine(text, from, to);
      from = to + 1;
    }
  }

  /** Decodes line by line, because replacement characters must not make an invalid line valid. */
  #linesOfBytes(bytes: Buffer, isCut: boolean): void {
    let from = 0;
    while (from < bytes.length) {
      const feed = bytes.indexOf(0x0a, from);
      const to = feed < 0 ? bytes.length : feed;
      const line = bytes.subarray(from, to);
      const text = line.toString('utf8');
      if (feed < 0 && this.#isCutOff(text, isCut)) return;
      if (isUtf8(line)) this.#readLine(text, 0, text.length);
      else this.#bad.add('not_utf8', ++this.#line, text);
      from = to + 1;
    }
  }

  /** Returns true when a last line without a line feed may be incomplete: half a number may parse as a number. */
  #isCutOff(line: string, isCut: boolean): boolean {
    if (isCut) return true;
    // Text bodies often lack the last line feed; OpenMetrics has an end mark that shows the end.
    if (this.#format === 'text' || line === '# EOF') return false;
    this.#bad.add('line_unterminated', ++this.#line, line);
    return true;
  }

  #readLine(text: string, lineStart: number, lineEnd: number): void {
    this.#line++;
    let to = lineEnd;
    while (to > lineStart && (isBlank(text.charCodeAt(to - 1)) || text.charCodeAt(to - 1) === 0x0d)) to--;
    const from = skipBlanks(text, lineStart, to);
    if (from === to) return;
    const reason = this.#reasonAgainst(text, from, to);
    if (reason !== undefined) this.#bad.add(reason, this.#line, text.slice(from, to));
  }

  /** Reads a line that is not empty. Returns the reason why the line, or a part of it, is left out. */
  #reasonAgainst(text: string, from: number, to: number): string | undefined {
    if (this.#ended) return 'after_eof';
    if (to - from > this.#limits.lineCharacters) return 'line_too_long';
    return text.charCodeAt(from) === HASH ? this.#comment(text.slice(from, to)) : this.#sample(text, from, to);
  }

  #comment(line: string): string | undefined {
    if (line === '# EOF' && this.#format === 'openmetrics') {
      this.#ended = true;
      return undefined;
    }
    const stated = commentLine(line, 'TYPE');
    if (stated === undefined) return /^#[ \t]+TYPE([ \t]|$)/.test(line) ? 'type_malformed' : undefined;
    const { name } = stated;
    const type = stated.text.toLowerCase();
    const known = isFamilyType(type);
    this.#family = this.#familyOf(name, known ? type : 'unknown');
    return known ? undefined : 'type_unknown';
  }

  #familyOf(name: string, type: FamilyType): Family {
    const key = `${type} ${name}`;
    let family = this.#families.get(key);
    if (family === undefined) {
      family = { name: ownText(name), type };
      // Valid bodies have at most as many families as series. Beyond that, families are not cached.
      if (this.#families.size < this.#limits.series) this.#families.set(ownText(key), family);
    }
    return family;
  }

  #sample(text: string, from: number, to: number): string | undefined {
    const nameEnd = endOfSeries(text, from, to);
    if (nameEnd < 0) return 'labels_malformed';
    let at = skipBlanks(text, nameEnd, to);
    if (at === to) return 'value_missing';
    const valueEnd = endOfWord(text, at, to);
    const value = parseValue(text.slice(at, valueEnd));
    if (value === undefined) return 'value_invalid';
    at = skipBlanks(text, valueEnd, to);
    let timestampMs: number | undefined;
    if (at < to && text.charCodeAt(at) !== HASH) {
      const end = endOfWord(text, at, to);
      timestampMs = this.#timestampMs(text.slice(at, end));
      if (timestampMs === undefined) return 'timestamp_invalid';
      at = skipBlanks(text, end, to);
    }
    const exemplar = at < to ? this.#exemplar(text, at, to) : undefined;
    if (exemplar === 'trailing_text') return exemplar;
    return this.#accepted(text.slice(from, nameEnd), value, timestampMs) ?? exemplar;
  }

  /** Parses a timestamp: seconds with a fraction in OpenMetrics, whole milliseconds in text. */
  #timestampMs(text: string): number | undefined {
    const value = parseValue(text);
    if (value === undefined || !Number.isFinite(value)) return undefined;
    if (this.#format === 'openmetrics') return Math.round(value * 1000);
    return Number.isInteger(value) ? value : undefined;
  }

  /** Checks the exemplar after value and time, ` # {…} value time`. A bad exemplar leaves its sample valid. */
  #exemplar(text: string, at: number, to: number): string | undefined {
    if (this.#format !== 'openmetrics' || text.charCodeAt(at) !== HASH) return 'trailing_text';
    const brace = skipBlanks(text, at + 1, to);
    const end = text[brace] === '{' ? endOfLabels(text, brace, to) : -1;
    if (end < 0) return 'exemplar_malformed';
    const labels = parseLabels(text.slice(brace, end), 0);
    if (typeof labels === 'string') return 'exemplar_malformed';
    const [value, time, ...more] = text
      .slice(end, to)
      .trim()
      .split(/[ \t]+/);
    const isGood = parseValue(value) !== undefined && (time === undefined || parseValue(time) !== undefined);
    return isGood && more.length === 0 ? undefined : 'exemplar_malformed';
  }

  /** Passes on the sample of a valid series; otherwise returns the reason. */
  #accepted(name: string, value: number, timestampMs: number | undefined): string | undefined {
    const known = this.#series.get(name);
    const series = known !== undefined && this.#isOfItsFamily(known) ? known : this.#learned(name, known);
    if (typeof series === 'string') return series;
    series.body = this.#body;
    if (series.resolved === undefined) return series.refused;
    if (this.#samples >= this.#limits.samples) return 'sample_limit';
    if (Number.isNaN(value)) return 'value_nan';
    if (!series.mayBeInfinite && !Number.isFinite(value)) return 'value_infinite';
    this.#samples++;
    this.#onSample(series.resolved, value, timestampMs);
    return undefined;
  }

  #isOfItsFamily({ name, family }: KnownSeries<S>): boolean {
    return (family !== undefined && family === this.#family) || family === this.#familyOfSample(name);
  }

  /** The family of the last `# TYPE` line if the sample belongs to it, otherwise one that is stated elsewhere. */
  #familyOfSample(name: string): Family | undefined {
    if (this.#family !== undefined && isMember(name, this.#family)) return this.#family;
    return this.#stated.size === 0 ? undefined : familyOf(name, this.#stated);
  }

  /** Resolves and caches a series. Names that do not parse are not cached: only broken exporters send them. */
  #learned(name: string, known: KnownSeries<S> | undefined): KnownSeries<S> | string {
    if (known === undefined && this.#series.size >= this.#limits.series) return 'series_limit';
    const text = ownText(name);
    const series = this.#resolved(text);
    if (typeof series !== 'string') this.#series.set(text, series);
    return series;
  }

  #resolved(text: string): KnownSeries<S> | string {
    const parsed = parseSeries(text);
    if (typeof parsed === 'string') return parsed;
    const { name } = parsed;
    const family = this.#familyOfSample(name);
    const kind = roleOf(name, family);
    const known = { name, family, mayBeInfinite: kind === 'gauge' || kind === 'reading', body: 0 };
    if (kind === 'created') return { ...known, resolved: undefined, refused: undefined };
    try {
      const resolved = this.#options.resolve({ ...parsed, kind });
      this.#described.add(name, family);
      return { ...known, resolved, refused: undefined };
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      return { ...known, resolved: undefined, refused: String(error.detail.reason ?? error.code) };
    }
  }

  #forgetIdle(): void {
    if (this.#body % IDLE_BODIES !== 0) return;
    const oldest = this.#body - IDLE_BODIES;
    for (const [name, { body }] of this.#series) if (body <= oldest) this.#series.delete(name);
    if (this.#families.size >= this.#limits.series) this.#families.clear();
  }
}

function endOfWord(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && !isBlank(text.charCodeAt(at))) at++;
  return at;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Returns a copy: a slice would keep the whole body in memory. */
function ownText(slice: string): string {
  return Buffer.from(slice).toString();
}
