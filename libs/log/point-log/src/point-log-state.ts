import { afterPrefix, ByteReader, ByteWriter } from '@tidemark/bytes';
import type { ShareSummary } from '@tidemark/columns';
import { ID_BYTES, isKind, KIND } from '@tidemark/model';
import { type BlockRecord, decodeRecord, RECORD } from '@tidemark/point-records';
import { assert, type KeyValue, type KeyValueWrite, type LogRecord, TidemarkError } from '@tidemark/ports';
import { BlockCheck } from './block-check.ts';
import { dictionaryKey, ENTRY, gapKey, numberKey, offsetOfGapKey, readDictionaryKey, textKey } from './entry-keys.ts';
import { LaneDictionaries } from './lane-dictionaries.ts';
import { LaneTracker } from './lane-tracker.ts';
import { SeriesIndex } from './series-index.ts';
import { packClient, packLane, unpackTracker } from './tracker-codec.ts';

/** A record that was passed. */
export interface MarkedGap {
  readonly offset: number;
  readonly reason: string;
}

/** A record that is to be applied. */
export interface JudgedRecord {
  readonly record: ReturnType<typeof decodeRecord>;
  /** What the shares of a block hold, in the order of its spans. */
  readonly shares: readonly ShareSummary[];
}

/** UTF-16 code units of the reason of a skip that are kept. */
const REASON_LENGTH = 1024;
/** UTF-8 bytes of the reason of a skip. */
const REASON_BYTES = 65_536;
/** Series that a stored page of the series table holds at most. */
const SERIES_PAGE = 4096;
const SERIES_BYTES = 21;
const NO_SHARES: readonly ShareSummary[] = [];

/**
 * What every consumer of `points` has to know of its partition to read on: lanes and clients, the dictionaries of live
 * epochs, the series that they name, what was skipped, and the offset. A function of the log's prefix. All consumers judge
 * records by it, so all apply, drop and halt at the same ones.
 *
 * A consumer takes each record through `judge`, applies what it gives (of a block `define`, then each span that the
 * tracker calls fresh), ends it by `tracker.end`, and moves `nextOffset` on. A commit writes `changes` together with what
 * the consumer keeps itself, in one write, and then calls `saved`.
 */
export class PointLogState {
  readonly partition: number;
  readonly table = new SeriesIndex();
  readonly dictionaries = new LaneDictionaries();
  readonly gaps: MarkedGap[] = [];
  tracker = new LaneTracker();
  nextOffset = 0;
  committedOffset = 0;
  readonly #check = new BlockCheck(this);
  /** How much of the append-only tables is on disk. */
  #savedSeries = 0;
  #savedMetrics = 0;
  /** Keys of the dictionary entries on disk, by lane, so that they can go when their epoch is over. */
  readonly #savedDictionaries = new Map<string, Uint8Array[]>();

  constructor(partition: number) {
    this.partition = partition;
  }

  /**
   * Decodes the record at `nextOffset` and says what to apply of it; undefined when it is a repetition, and to be passed.
   * Throws `data_loss`, which halts the partition, when it is damaged or a record before it is missing. Changes nothing.
   */
  judge({ offset, value }: LogRecord): JudgedRecord | undefined {
    assert(offset === this.nextOffset, `record ${offset} where ${this.nextOffset} was next`);
    const record = decodeRecord(value);
    if (record.partition !== this.partition) {
      throw new TidemarkError('data_loss', `a record of partition ${record.partition} in partition ${this.partition}`);
    }
    if (this.tracker.begin(record) !== 'apply') return undefined;
    return { record, shares: record.type === RECORD.block ? this.#check.check(record) : NO_SHARES };
  }

  /** Takes over the definitions of a block that was judged. */
  define(record: BlockRecord): void {
    this.dictionaries.define(record, ({ seriesId, metricId, kind }) => this.table.add(seriesId, metricId, kind));
  }

  /** Passes the record at `nextOffset`: the gap is permanent. */
  skip(reason: string): void {
    this.gaps.push({ offset: this.nextOffset, reason: reason.slice(0, REASON_LENGTH) });
    this.tracker.skip();
    this.nextOffset++;
  }

  /** What changed since the last commit, but for the offset and the tracker's head, which are the consumer's to store. */
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
    const { stale, deltas } = dictionaries.changes;
    for (const lane of stale) for (const key of this.#savedDictionaries.get(lane) ?? []) writes.push({ key });
    for (const { lane, epoch, dictionary, firstRef, series } of deltas) {
      const key = dictionaryKey(lane, epoch, dictionary, firstRef);
      writes.push({ key, value: Buffer.from(series.buffer, series.byteOffset, series.byteLength) });
    }
    for (const gap of this.gaps) if (gap.offset >= this.committedOffset) writes.push(gapWrite(gap));
    return writes;
  }

  /** The writes of a commit are durable: the next one starts from here. */
  saved(): void {
    const { dictionaries, table, tracker } = this;
    const { stale, deltas } = dictionaries.changes;
    for (const lane of stale) this.#savedDictionaries.delete(lane);
    for (const { lane, epoch, dictionary, firstRef } of deltas) {
      this.#keepKey(lane, dictionaryKey(lane, epoch, dictionary, firstRef));
    }
    dictionaries.saved();
    tracker.saved();
    this.#savedSeries = table.length;
    this.#savedMetrics = table.metricCount;
    this.committedOffset = this.nextOffset;
  }

  /** Fills a new state with what was committed. */
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
    this.#savedSeries = table.length;
    this.#savedMetrics = table.metricCount;
    for await (const { key, value } of entriesOf(keyValue, ENTRY.dictionary)) {
      const series = new Uint32Array(Uint8Array.from(value).buffer);
      const parts = readDictionaryKey(key);
      dictionaries.restore({ ...parts, series }, (one) => one < table.length && table.kind(one) === KIND.distribution);
      this.#keepKey(parts.lane, key);
    }
    for await (const { key, value } of entriesOf(keyValue, ENTRY.gap)) {
      this.gaps.push({ offset: offsetOfGapKey(key), reason: new ByteReader(value, 'gap').text(REASON_BYTES) });
    }
  }

  #keepKey(lane: string, key: Uint8Array): void {
    const keys = this.#savedDictionaries.get(lane) ?? [];
    keys.push(key);
    this.#savedDictionaries.set(lane, keys);
  }
}

/** [id, metric, kind] of up to a page of series. */
function packSeries(table: SeriesIndex, from: number): Buffer {
  const to = Math.min(table.length, from + SERIES_PAGE);
  const out = new ByteWriter((to - from) * SERIES_BYTES);
  for (let series = from; series < to; series++) {
    out.bytes(table.id(series));
    out.u32(table.metric(series));
    out.u8(table.kind(series));
  }
  return out.take();
}

function loadSeries(table: SeriesIndex, page: Uint8Array): void {
  const reader = new ByteReader(page, 'series page');
  while (reader.remaining > 0) {
    const id = reader.bytes(ID_BYTES);
    const metric = reader.u32();
    const kind = reader.u8();
    if (metric < table.metricCount && isKind(kind)) table.add(id, table.metricId(metric), kind);
    else reader.fail(`a series of metric ${metric}, kind ${kind}`);
  }
}

function gapWrite({ offset, reason }: MarkedGap): KeyValueWrite {
  const out = new ByteWriter();
  out.text(reason);
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
