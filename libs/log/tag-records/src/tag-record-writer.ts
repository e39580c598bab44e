import { ByteWriter } from '@tidemark/bytes';
import { ID_BYTES, type MetricChange, type SeriesName, type StatedSource } from '@tidemark/model';
import { assert, limitError, TidemarkError } from '@tidemark/ports';
import {
  HEADER_BYTES,
  MAX_DAY,
  MAX_TAGS,
  MAX_TAGS_RECORD_BYTES,
  MAX_TEXT_BYTES,
  SOURCES,
  sealRecord,
} from './layout.ts';
import { writeMetricChange } from './metric-change.ts';

/** Bytes reserved for the counts before the five sections. */
const COUNTS_BYTES = 5 * 4;
/** Max bytes of a character in UTF-8, of those that are one in a string. */
const UTF8_BYTES = 3;

/**
 * Fills one record of topic `tags` (docs/formats/tags-record.md). Each text is stored once per record, so a record of
 * many series with similar tags is small. Check `sizeBytes` to decide when to call `take`.
 */
export class TagRecordWriter {
  readonly #refs = new Map<string, number>();
  readonly #metricRefs = new Map<string, number>();
  readonly #texts = new ByteWriter();
  readonly #metrics = new ByteWriter();
  readonly #series = new ByteWriter();
  readonly #days = new ByteWriter();
  readonly #statements = new ByteWriter();
  #seriesCount = 0;
  #dayCount = 0;
  #statementCount = 0;
  #lastSeriesDay = 0;
  #lastDay = 0;

  /** Upper bound of the bytes that `take` would return. */
  get sizeBytes(): number {
    const sections =
      this.#texts.length + this.#metrics.length + this.#series.length + this.#days.length + this.#statements.length;
    return HEADER_BYTES + COUNTS_BYTES + sections;
  }

  /** Number of entries in the record so far. */
  get count(): number {
    return this.#seriesCount + this.#dayCount + this.#statementCount;
  }

  /**
   * Adds a series with its complete name, seen on `day` (UTC days since the Unix epoch). Throws `resource_exhausted`,
   * and adds nothing, when the record could exceed `MAX_TAGS_RECORD_BYTES`: call `take`, then add the series again.
   */
  addSeries(id: Uint8Array, name: SeriesName, day: number): void {
    assert(id.length === ID_BYTES, 'a series id has 16 bytes');
    this.#checkDay(day);
    if (!this.#hasRoomFor(name)) this.#checkRoom(largestSeriesBytes(name));
    const metric = this.#metricRef(name.tenant, name.metric);
    const out = this.#series;
    out.bytes(id);
    out.varint(metric * 4 + name.seriesClass - 1);
    out.signedVarint(day - this.#lastSeriesDay);
    out.varint(name.tags.length);
    for (const tag of name.tags) out.varint(this.#ref(tag));
    this.#lastSeriesDay = day;
    this.#seriesCount++;
  }

  /** Adds a day on which a series was seen whose name is in an earlier record. Errors as for `addSeries`. */
  addDay(id: Uint8Array, day: number): void {
    assert(id.length === ID_BYTES, 'a series id has 16 bytes');
    this.#checkDay(day);
    this.#checkRoom(ID_BYTES + 8);
    this.#days.bytes(id);
    this.#days.signedVarint(day - this.#lastDay);
    this.#lastDay = day;
    this.#dayCount++;
  }

  /**
   * Adds a change of what a source says of a metric. A later change of the same source and field stands. Errors as for
   * `addSeries`.
   */
  addStatement(tenant: string, metric: string, source: StatedSource, change: MetricChange): void {
    const texts = [tenant, metric, change.unit ?? '', change.description ?? ''];
    this.#checkRoom(texts.reduce((size, text) => size + textBytes('text', text), 32));
    this.#statements.varint(this.#metricRef(tenant, metric));
    this.#statements.u8(SOURCES.indexOf(source));
    writeMetricChange(change, this.#statements);
    this.#statementCount++;
  }

  /** Returns the record and empties the writer. */
  take(): Buffer {
    const record = new ByteWriter(this.sizeBytes);
    record.reserve(HEADER_BYTES);
    record.advance(HEADER_BYTES);
    record.varint(this.#refs.size);
    record.bytes(this.#texts.view());
    record.varint(this.#metricRefs.size);
    record.bytes(this.#metrics.view());
    record.varint(this.#seriesCount);
    record.bytes(this.#series.view());
    record.varint(this.#dayCount);
    record.bytes(this.#days.view());
    record.varint(this.#statementCount);
    record.bytes(this.#statements.view());
    this.#clear();
    return sealRecord(record.take());
  }

  #clear(): void {
    this.#refs.clear();
    this.#metricRefs.clear();
    for (const part of this.#parts) part.reset();
    this.#seriesCount = 0;
    this.#dayCount = 0;
    this.#statementCount = 0;
    this.#lastSeriesDay = 0;
    this.#lastDay = 0;
  }

  get #parts(): readonly ByteWriter[] {
    return [this.#texts, this.#metrics, this.#series, this.#days, this.#statements];
  }

  #ref(text: string): number {
    const known = this.#refs.get(text);
    if (known !== undefined) return known;
    const ref = this.#refs.size;
    this.#refs.set(text, ref);
    this.#texts.text(text);
    return ref;
  }

  #metricRef(tenant: string, metric: string): number {
    const key = `${tenant}\0${metric}`;
    const known = this.#metricRefs.get(key);
    if (known !== undefined) return known;
    const ref = this.#metricRefs.size;
    this.#metricRefs.set(key, ref);
    this.#metrics.varint(this.#ref(tenant));
    this.#metrics.varint(this.#ref(metric));
    return ref;
  }

  #checkDay(day: number): void {
    if (!Number.isInteger(day) || day < 0 || day > MAX_DAY) {
      throw limitError('day', String(day), `a whole number from 0 to ${MAX_DAY}`);
    }
  }

  /** Returns whether a series certainly fits, without counting the bytes of its texts. */
  #hasRoomFor({ tenant, metric, tags }: SeriesName): boolean {
    if (tags.length > MAX_TAGS) return false;
    let characters = tenant.length + metric.length;
    let longest = Math.max(tenant.length, metric.length);
    for (let i = 0; i < tags.length; i++) {
      characters += tags[i].length;
      longest = Math.max(longest, tags[i].length);
    }
    if (longest * UTF8_BYTES > MAX_TEXT_BYTES) return false;
    const largest = ID_BYTES + 24 + characters * UTF8_BYTES + tags.length * 5;
    return this.sizeBytes + largest <= MAX_TAGS_RECORD_BYTES;
  }

  #checkRoom(largestBytes: number): void {
    if (this.sizeBytes + largestBytes <= MAX_TAGS_RECORD_BYTES) return;
    throw new TidemarkError(
      'resource_exhausted',
      `a tags record of ${this.sizeBytes} bytes has no room for ${largestBytes} more (limit: ${MAX_TAGS_RECORD_BYTES} bytes)`,
      { field: 'record', limit: MAX_TAGS_RECORD_BYTES },
    );
  }
}

/** Max bytes that a series adds, if none of its texts is in the record yet. Throws for a name that readers refuse. */
function largestSeriesBytes(name: SeriesName): number {
  if (name.tags.length > MAX_TAGS) throw limitError('tags', `${name.tags.length}`, MAX_TAGS);
  let size = ID_BYTES + 16 + textBytes('tenant', name.tenant) + textBytes('metric', name.metric);
  for (const tag of name.tags) size += textBytes('tag', tag) + 3;
  return size;
}

function textBytes(field: string, text: string): number {
  const size = Buffer.byteLength(text);
  if (size > MAX_TEXT_BYTES) throw limitError(field, `${size} bytes`, MAX_TEXT_BYTES);
  return size + 2;
}
