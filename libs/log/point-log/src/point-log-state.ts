import { afterPrefix, ByteReader, ByteWriter, type IdHash } from '@tidemark/bytes';
import type { ShareSummary } from '@tidemark/columns';
import type { LostRecords } from '@tidemark/log-consumer';
import { ID_BYTES, isSeriesClass, SERIES_CLASS, type SeriesClass } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { type BlockRecord, DICTIONARY_REFS_LIMIT, decodeRecord, RECORD } from '@tidemark/point-records';
import {
  assert,
  isTidemarkError,
  type KeyValue,
  type KeyValueWrite,
  type LogRecord,
  TidemarkError,
} from '@tidemark/ports';
import { BlockCheck } from './block-check.ts';
import {
  dictionaryKey,
  ENTRY,
  gapKey,
  numberKey,
  numberOfKey,
  offsetOfGapKey,
  readDictionaryKey,
  textKey,
} from './entry-keys.ts';
import { LaneDictionaries } from './lane-dictionaries.ts';
import { LaneTracker } from './lane-tracker.ts';
import { SeriesIndex } from './series-index.ts';
import { SeriesIntervals } from './series-intervals.ts';
import { packClient, packLane, unpackTracker } from './tracker-codec.ts';

/** Records that are permanently missing. */
export interface MarkedGap {
  /** Offset of the first skipped record; of the record before which records of its lane are missing. */
  readonly offset: number;
  readonly reason: string;
  /** Number of missing records. */
  readonly records: number;
}

/** A record that must be applied. */
export interface JudgedRecord {
  readonly record: ReturnType<typeof decodeRecord>;
  /** Summaries of a block's shares, in the order of its spans. */
  readonly shares: readonly ShareSummary[];
}

/** Max UTF-16 code units of a stored skip reason. */
const REASON_LENGTH = 1024;
/** Max UTF-8 bytes of a stored skip reason. */
const REASON_BYTES = 65_536;
/** Max series per stored page of the series table. */
const SERIES_PAGE = 4096;
const SERIES_BYTES = 21;
const NO_SHARES: readonly ShareSummary[] = [];

/**
 * State that every consumer of `points` needs to continue reading its partition: lanes and clients, the dictionaries of
 * live epochs, the series that they name, the skipped records, and the offset. It is a function of the log's prefix.
 * All consumers judge records by it, so all apply, drop and halt at the same ones.
 *
 * A consumer passes each record to `judge` and applies the result: of a block `define`, then each span that the tracker
 * reports as fresh. It then calls `tracker.end` and advances `nextOffset`. A commit writes `changes` and the consumer's
 * own content in one write, and then calls `saved`.
 */
export class PointLogState {
  readonly partition: number;
  readonly table: SeriesIndex;
  readonly intervals = new SeriesIntervals();
  readonly dictionaries = new LaneDictionaries();
  readonly gaps: MarkedGap[] = [];
  tracker = new LaneTracker();
  nextOffset = 0;
  committedOffset = 0;
  readonly #check = new BlockCheck(this);
  /** Number of series that are on disk. The series table only grows. */
  #savedSeries = 0;
  #savedMetrics = 0;
  /** Keys of the dictionary entries on disk, by lane. They are deleted when their epoch ends. */
  readonly #savedDictionaries = new Map<string, Uint8Array[]>();

  readonly #keepsSeries: boolean;

  /**
   * `idHash`: with a random key, so that senders cannot choose names that collide in tables of series. Without
   * `keepsSeries`, the table of series stays empty, and the number of each is its class: a consumer that only judges records
   * needs no more, and series that are no longer defined leave nothing behind.
   */
  constructor(partition: number, idHash?: IdHash, keepsSeries = true) {
    this.partition = partition;
    this.table = new SeriesIndex(idHash);
    this.#keepsSeries = keepsSeries;
  }

  /** Returns the class of a series by its dense number. */
  classOf(dense: number): SeriesClass {
    return this.#keepsSeries ? this.table.seriesClass(dense) : (dense as SeriesClass);
  }

  /**
   * Decodes the record at `nextOffset` and returns what to apply of it; undefined for a duplicate, which must be
   * passed. Throws `data_loss`, which halts the partition, when the record is damaged or an earlier one is missing.
   * Changes nothing.
   */
  judge({ offset, value, appendTimeMs }: LogRecord): JudgedRecord | undefined {
    assert(offset === this.nextOffset, `record at offset ${offset}, expected ${this.nextOffset}`);
    const record = withCredibleMark(decodeRecord(value), appendTimeMs);
    if (record.partition !== this.partition) {
      throw new TidemarkError('data_loss', `a record of partition ${record.partition} in partition ${this.partition}`);
    }
    if (this.tracker.begin(record) !== 'apply') return undefined;
    return { record, shares: record.type === RECORD.block ? this.#check.check(record) : NO_SHARES };
  }

  /**
   * Adds the definitions of a judged block. Of the intervals that it states of a series the last one counts: the first
   * block of a lane's epoch repeats all statements of a sender that has changed its interval.
   */
  define(record: BlockRecord): void {
    const { table, intervals } = this;
    if (!this.#keepsSeries) {
      this.dictionaries.define(record, ({ seriesClass }) => seriesClass);
      return;
    }
    const known = table.length;
    const statedMs = new Map<number, number>();
    this.dictionaries.define(record, ({ seriesId, metricId, seriesClass, intervalMs = 0 }) => {
      const dense = table.add(seriesId, metricId, seriesClass);
      if (intervalMs !== 0) statedMs.set(dense, intervalMs);
      return dense;
    });
    for (const [dense, intervalMs] of statedMs) intervals.state(dense, intervalMs, record.minTimeMs, dense >= known);
  }

  /**
   * Passes what halted the partition at `nextOffset`, and marks one permanent gap. If only earlier records of its lane are
   * missing before `lost.record`, those are forgiven and the record itself is applied next; otherwise `lost.records`
   * records are skipped.
   */
  skip(reason: string, lost: LostRecords): void {
    const missing = lost.record === undefined ? 0 : this.#missingBefore(lost.record);
    this.tracker.skip(missing);
    const isApplied = missing > 0 && lost.record !== undefined && this.#canApply(lost.record);
    const skipped = isApplied ? 0 : lost.records;
    this.tracker.skip(skipped);
    this.gaps.push({
      offset: this.nextOffset,
      reason: reason.slice(0, REASON_LENGTH),
      records: missing + skipped,
    });
    this.nextOffset += skipped;
  }

  /** Returns how many records of its lane are missing before a record; 0 when it can't be decoded. */
  #missingBefore({ value }: LogRecord): number {
    try {
      const record = decodeRecord(value);
      return record.partition === this.partition ? this.tracker.missingBefore(record) : 0;
    } catch (error) {
      if (!isTidemarkError(error, 'data_loss')) throw error;
      return 0;
    }
  }

  #canApply(record: LogRecord): boolean {
    try {
      this.judge(record);
      return true;
    } catch (error) {
      if (!isTidemarkError(error, 'data_loss')) throw error;
      return false;
    }
  }

  /** Returns the changes since the last commit, except the offset and the tracker's head, which the consumer stores. */
  changes(): KeyValueWrite[] {
    const { tracker, table, dictionaries } = this;
    const writes: KeyValueWrite[] = [];
    const { lanes, clients } = tracker.changes;
    for (const key of lanes) {
      const lane = tracker.lanes.get(key);
      writes.push({ key: textKey(ENTRY.lane, key), value: lane === undefined ? undefined : packLane(lane) });
      if (lane === undefined) dictionaries.drop(key);
    }
    for (const key of clients) {
      const client = tracker.clients.get(key);
      writes.push({ key: textKey(ENTRY.client, key), value: client === undefined ? undefined : packClient(client) });
    }
    for (let metric = this.#savedMetrics; metric < table.metricCount; metric++) {
      writes.push({ key: numberKey(ENTRY.metric, metric), value: table.metricId(metric) });
    }
    for (let from = this.#savedSeries; from < table.length; from += SERIES_PAGE) {
      writes.push({ key: numberKey(ENTRY.series, from), value: packSeries(table, from) });
    }
    for (const [series, value] of this.intervals.changes()) {
      writes.push({ key: numberKey(ENTRY.intervals, series), value });
    }
    const { stale, deltas } = dictionaries.changes;
    for (const lane of stale) for (const key of this.#savedDictionaries.get(lane) ?? []) writes.push({ key });
    for (const { lane, epoch, dictionary, firstRef, series } of deltas) {
      const key = dictionaryKey(lane, epoch, dictionary, firstRef);
      writes.push({ key, value: Buffer.from(series.buffer, series.byteOffset, series.byteLength) });
    }
    for (const gap of this.gaps) if (gap.offset >= this.committedOffset) writes.push(gapWrite(gap));
    return writes;
  }

  /** Marks the writes of a commit as durable. The next commit begins after them. */
  saved(): void {
    const { dictionaries, table, tracker } = this;
    const { stale, deltas } = dictionaries.changes;
    for (const lane of stale) this.#savedDictionaries.delete(lane);
    for (const { lane, epoch, dictionary, firstRef } of deltas) {
      this.#keepKey(lane, dictionaryKey(lane, epoch, dictionary, firstRef));
    }
    dictionaries.saved();
    this.intervals.saved();
    tracker.saved();
    this.#savedSeries = table.length;
    this.#savedMetrics = table.metricCount;
    this.committedOffset = this.nextOffset;
  }

  /** Loads the committed state into a new one. */
  async load(
    keyValue: KeyValue,
    { trackerHead, nextOffset }: { readonly trackerHead: Uint8Array; readonly nextOffset: number },
  ): Promise<void> {
    const { table, dictionaries } = this;
    this.nextOffset = nextOffset;
    this.committedOffset = nextOffset;
    const lanes = await valuesOf(keyValue, ENTRY.lane);
    const clients = await valuesOf(keyValue, ENTRY.client);
    this.tracker = unpackTracker(trackerHead, lanes, clients);
    for (const value of await valuesOf(keyValue, ENTRY.metric)) table.addMetric(value);
    for (const value of await valuesOf(keyValue, ENTRY.series)) loadSeries(table, value);
    for await (const { key, value } of entriesOf(keyValue, ENTRY.intervals)) {
      const series = numberOfKey(key);
      if (series >= table.length) throw damaged(`intervals of series ${series} of ${table.length}`);
      this.intervals.load(series, value);
    }
    this.#savedSeries = table.length;
    this.#savedMetrics = table.metricCount;
    for await (const { key, value } of entriesOf(keyValue, ENTRY.dictionary)) {
      const parts = readDictionaryKey(key);
      const series = denseNumbers(value, parts.firstRef);
      const isKnown = (one: number) => (this.#keepsSeries ? one < table.length : isSeriesClass(one));
      dictionaries.restore(
        { ...parts, series },
        (one) => isKnown(one) && this.classOf(one) === SERIES_CLASS.distribution,
      );
      this.#keepKey(parts.lane, key);
    }
    for await (const { key, value } of entriesOf(keyValue, ENTRY.gap)) {
      const reader = new ByteReader(value, 'gap');
      const reason = reader.text(REASON_BYTES);
      this.gaps.push({ offset: offsetOfGapKey(key), reason, records: reader.remaining > 0 ? reader.varint() : 1 });
    }
  }

  #keepKey(lane: string, key: Uint8Array): void {
    const keys = this.#savedDictionaries.get(lane) ?? [];
    keys.push(key);
    this.#savedDictionaries.set(lane, keys);
  }
}

/** Encodes up to a page of series, each as [id, metric, class]. */
function packSeries(table: SeriesIndex, from: number): Buffer {
  const to = Math.min(table.length, from + SERIES_PAGE);
  const out = new ByteWriter((to - from) * SERIES_BYTES);
  for (let series = from; series < to; series++) {
    out.bytes(table.id(series));
    out.u32(table.metric(series));
    out.u8(table.seriesClass(series));
  }
  return out.take();
}

function loadSeries(table: SeriesIndex, page: Uint8Array): void {
  const reader = new ByteReader(page, 'series page');
  while (reader.remaining > 0) {
    const id = reader.bytes(ID_BYTES);
    const metric = reader.u32();
    const seriesClass = reader.u8();
    if (metric < table.metricCount && isSeriesClass(seriesClass)) table.add(id, table.metricId(metric), seriesClass);
    else reader.fail(`series of unknown metric ${metric} or class ${seriesClass}`);
  }
}

/** Reads the stored definitions of a dictionary from a ref on: four bytes each. */
function denseNumbers(value: Uint8Array, firstRef: number): Uint32Array {
  const count = value.length / Uint32Array.BYTES_PER_ELEMENT;
  if (!Number.isInteger(count)) throw damaged(`a dictionary of ${value.length} bytes`);
  if (firstRef + count > DICTIONARY_REFS_LIMIT) {
    throw damaged(`a dictionary of ${firstRef + count} refs (limit: ${DICTIONARY_REFS_LIMIT})`);
  }
  return new Uint32Array(Uint8Array.from(value).buffer);
}

function damaged(what: string): TidemarkError {
  return new TidemarkError('data_loss', `the stored state has ${what}`);
}

function gapWrite({ offset, reason, records }: MarkedGap): KeyValueWrite {
  const out = new ByteWriter();
  out.text(reason);
  if (records > 1) out.varint(records);
  return { key: gapKey(offset), value: out.take() };
}

function entriesOf(keyValue: KeyValue, prefix: number): AsyncIterable<{ key: Uint8Array; value: Uint8Array }> {
  const from = Uint8Array.of(prefix);
  return keyValue.entries({ from, to: afterPrefix(from) });
}

async function valuesOf(keyValue: KeyValue, prefix: number): Promise<Uint8Array[]> {
  const values: Uint8Array[] = [];
  for await (const { value } of entriesOf(keyValue, prefix)) values.push(value);
  return values;
}

/**
 * Returns the record with its mark as far as it counts: up to the tolerance after the append time. A session learns only
 * by the answer to an append that its clock is ahead of the log's, and the mark of that record is in the log by then.
 */
function withCredibleMark(record: BlockRecord, appendTimeMs: number): BlockRecord {
  const limitMs = Math.floor(appendTimeMs) + PROTOCOL_TIMES.clockToleranceMs;
  return record.markMs <= limitMs ? record : { ...record, markMs: limitMs };
}
