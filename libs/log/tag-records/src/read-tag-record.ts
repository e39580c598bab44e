import { type ByteReader, compareBytes } from '@tidemark/bytes';
import { ID_BYTES, isSeriesClass, type MetricChange, type SeriesName, type StatedSource } from '@tidemark/model';
import { MAX_DAY, MAX_TAGS, MAX_TEXT_BYTES, openRecord, SOURCES } from './layout.ts';
import { readMetricChange } from './metric-change.ts';

/**
 * Receives the entries of a record. Ids are views of the record: copy the ones to keep. Days are UTC days since the Unix
 * epoch.
 */
export interface TagRecordVisitor {
  /** Receives a series with its complete name, and a day on which it was seen. */
  series(id: Uint8Array, name: SeriesName, day: number): void;
  /** Receives a series that an earlier record named, and a day on which it was seen. */
  day(id: Uint8Array, day: number): void;
  /** Receives a change of what a source says of a metric. */
  statement(tenant: string, metric: string, source: StatedSource, change: MetricChange): void;
}

/**
 * Visits the entries of one record of topic `tags`, series first and statements last, in the order in which they were
 * added. The whole record is checked before the first visit, so a damaged record has no effect. Throws `data_loss`.
 */
export function readTagRecord(record: Uint8Array, visitor: TagRecordVisitor): void {
  const reader = openRecord(record);
  const texts = readTexts(reader);
  const metrics = readMetrics(reader, texts);
  const series = readSeries(reader, texts, metrics);
  const days = readDays(reader);
  const statements = readStatements(reader, metrics);
  if (reader.remaining > 0) reader.fail(`${reader.remaining} unexpected bytes at the end`);
  for (let i = 0; i < series.names.length; i++) visitor.series(series.ids[i], series.names[i], series.days[i]);
  for (let i = 0; i < days.ids.length; i++) visitor.day(days.ids[i], days.days[i]);
  for (const { name, source, change } of statements) visitor.statement(name.tenant, name.metric, source, change);
}

function readCount(reader: ByteReader, what: string, minBytes: number): number {
  const count = reader.varint();
  if (count * minBytes > reader.remaining) reader.fail(`${count} ${what} do not fit in ${reader.remaining} bytes`);
  return count;
}

function readTexts(reader: ByteReader): string[] {
  const texts: string[] = [];
  for (let left = readCount(reader, 'texts', 2); left > 0; left--) {
    const text = reader.text(MAX_TEXT_BYTES);
    if (text.length === 0) reader.fail('empty text');
    if (!text.isWellFormed()) reader.fail('text is not UTF-8');
    texts.push(text);
  }
  return texts;
}

function readRef<T>(reader: ByteReader, what: string, table: readonly T[]): T {
  const ref = reader.varint();
  if (ref >= table.length) reader.fail(`${what} ${ref} of a table of ${table.length}`);
  return table[ref];
}

interface MetricName {
  readonly tenant: string;
  readonly metric: string;
}

function readMetrics(reader: ByteReader, texts: readonly string[]): MetricName[] {
  const metrics: MetricName[] = [];
  for (let left = readCount(reader, 'metrics', 2); left > 0; left--) {
    metrics.push({ tenant: readRef(reader, 'text', texts), metric: readRef(reader, 'text', texts) });
  }
  return metrics;
}

interface SeenSeries {
  readonly ids: Uint8Array[];
  readonly names: SeriesName[];
  readonly days: number[];
}

function readSeries(reader: ByteReader, texts: readonly string[], metrics: readonly MetricName[]): SeenSeries {
  const seen: SeenSeries = { ids: [], names: [], days: [] };
  let day = 0;
  for (let left = readCount(reader, 'series', ID_BYTES + 3); left > 0; left--) {
    seen.ids.push(reader.bytes(ID_BYTES));
    const packed = reader.varint();
    const ref = Math.floor(packed / 4);
    if (ref >= metrics.length) reader.fail(`metric ${ref} of a table of ${metrics.length}`);
    const seriesClass = (packed % 4) + 1;
    if (!isSeriesClass(seriesClass)) reader.fail(`unknown class ${seriesClass}`);
    day = readDay(reader, day);
    seen.days.push(day);
    const { tenant, metric } = metrics[ref];
    seen.names.push({ tenant, metric, seriesClass, tags: readTags(reader, texts) });
  }
  return seen;
}

function readTags(reader: ByteReader, texts: readonly string[]): string[] {
  const count = readCount(reader, 'tags', 1);
  if (count > MAX_TAGS) reader.fail(`${count} tags (limit: ${MAX_TAGS})`);
  const tags: string[] = [];
  for (let i = 0; i < count; i++) {
    const tag = readRef(reader, 'text', texts);
    if (i > 0 && !inOrder(tags[i - 1], tag)) reader.fail('tags are not sorted and distinct');
    tags.push(tag);
  }
  return tags;
}

/** Compares in UTF-8 order, which is the order of code units unless one text differs first at a surrogate. */
function inOrder(left: string, right: string): boolean {
  let i = 0;
  while (i < left.length && i < right.length && left.charCodeAt(i) === right.charCodeAt(i)) i++;
  if (i === right.length) return false;
  if (i === left.length) return true;
  const a = left.charCodeAt(i);
  const b = right.charCodeAt(i);
  return a < 0xd800 && b < 0xd800 ? a < b : compareBytes(Buffer.from(left), Buffer.from(right)) < 0;
}

interface SeenDays {
  readonly ids: Uint8Array[];
  readonly days: number[];
}

function readDays(reader: ByteReader): SeenDays {
  const seen: SeenDays = { ids: [], days: [] };
  let day = 0;
  for (let left = readCount(reader, 'day entries', ID_BYTES + 1); left > 0; left--) {
    seen.ids.push(reader.bytes(ID_BYTES));
    day = readDay(reader, day);
    seen.days.push(day);
  }
  return seen;
}

interface Statement {
  readonly name: MetricName;
  readonly source: StatedSource;
  readonly change: MetricChange;
}

function readStatements(reader: ByteReader, metrics: readonly MetricName[]): Statement[] {
  const statements: Statement[] = [];
  for (let left = readCount(reader, 'statements', 3); left > 0; left--) {
    const name = readRef(reader, 'metric', metrics);
    const source = SOURCES[reader.u8()];
    if (source === undefined) return reader.fail('unknown source of a statement');
    statements.push({ name, source, change: readMetricChange(reader) });
  }
  return statements;
}

function readDay(reader: ByteReader, previous: number): number {
  const day = previous + reader.signedVarint();
  if (day < 0 || day > MAX_DAY) reader.fail(`day ${day} (limit: 0 to ${MAX_DAY})`);
  return day;
}
