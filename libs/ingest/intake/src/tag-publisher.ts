import { DAY_MS, daysHeldAfter, type MetricChange, type StatedSource } from '@tidemark/model';
import {
  type Appended,
  type Clock,
  isFullLog,
  isTidemarkError,
  type Log,
  SettlingWriter,
  TidemarkError,
} from '@tidemark/ports';
import { TagRecordWriter } from '@tidemark/tag-records';
import type { ClientDictionary } from './client-dictionary.ts';

/** Size of a record above which the next one begins. */
const RECORD_BYTES = 512 * 1024;
/** Smallest such size, if the log refuses less than its setting says. */
const MIN_RECORD_BYTES = 1024;

/** A series of a dictionary that has points on a day. */
export interface TagRecordEntry {
  readonly dictionary: ClientDictionary;
  readonly ref: number;
  readonly day: number;
}

/** What a source says of a metric. */
export interface MetricStatementEntry {
  readonly tenant: string;
  readonly metric: string;
  readonly source: StatedSource;
  readonly change: MetricChange;
}

/** Publishes the tags of one partition's series, before their points. */
export class TagPublisher {
  readonly #clock: Clock;
  readonly #writer: SettlingWriter;
  /** All published records are below this offset of the partition's `tags`. */
  nextOffset = 0;
  #recordBytes = RECORD_BYTES;

  constructor(log: Log, partition: number, clock: Clock) {
    this.#clock = clock;
    this.#writer = new SettlingWriter(log, 'tags', partition, clock);
  }

  /** Error that prevents the log from accepting entries now. */
  get problem(): TidemarkError | undefined {
    return this.#writer.problem;
  }

  /**
   * Resolves once all entries are durable. Throws `invalid_argument` for an entry that fits no record, `resource_exhausted`
   * when the log is full; others when the log cannot accept the entries before `signal` aborts.
   */
  publish(entries: readonly TagRecordEntry[], signal: AbortSignal): Promise<void> {
    return this.#publish(entries, addEntry, signal, (published) => {
      const today = Math.floor(this.#clock.wallMs() / DAY_MS);
      for (const { dictionary, day, ref } of published) dictionary.markPublished(day, ref, today);
    });
  }

  /** Publishes statements, as `publish`. */
  publishStatements(statements: readonly MetricStatementEntry[], signal: AbortSignal): Promise<void> {
    const add = (record: TagRecordWriter, { tenant, metric, source, change }: MetricStatementEntry) =>
      record.addStatement(tenant, metric, source, change);
    return this.#publish(statements, add, signal, () => undefined);
  }

  async #publish<T>(
    entries: readonly T[],
    add: (record: TagRecordWriter, entry: T) => void,
    signal: AbortSignal,
    published: (entries: readonly T[]) => void,
  ): Promise<void> {
    for (let from = 0; from < entries.length; ) {
      const record = new TagRecordWriter();
      let to = from;
      while (to < entries.length && record.sizeBytes < this.#recordBytes) {
        const isAdded = addIfRoom(() => add(record, entries[to]), to > from);
        if (!isAdded) break;
        to++;
      }
      const appended = await this.#append(record.take(), to - from, signal);
      if (appended === undefined) continue;
      this.nextOffset = Math.max(this.nextOffset, appended.offset + 1);
      published(entries.slice(from, to));
      from = to;
    }
  }

  /** Appends a record. Returns undefined if it is too large for the log, and the next ones will be smaller. */
  async #append(value: Uint8Array, count: number, signal: AbortSignal): Promise<Appended | undefined> {
    try {
      return await this.#writer.append(value, signal, isRefusedByFullLog);
    } catch (error) {
      const isLast = count === 1 || this.#recordBytes === MIN_RECORD_BYTES;
      if (!isTidemarkError(error, 'invalid_argument') || isLast) throw error;
      this.#recordBytes = Math.max(MIN_RECORD_BYTES, Math.floor(this.#recordBytes / 2));
      return undefined;
    }
  }
}

function isRefusedByFullLog(error: TidemarkError, mayBeStored: boolean): boolean {
  return isFullLog(error) && !mayBeStored;
}

/** Adds an entry and returns true, or returns false when it belongs into the next record and may wait for it. */
function addIfRoom(add: () => void, mayWait: boolean): boolean {
  try {
    add();
    return true;
  } catch (error) {
    if (!isTidemarkError(error, 'resource_exhausted')) throw error;
    if (mayWait) return false;
    throw new TidemarkError('invalid_argument', error.message, error.detail, { cause: error });
  }
}

function addEntry(record: TagRecordWriter, { dictionary, ref, day }: TagRecordEntry): void {
  const seriesId = dictionary.seriesId(ref);
  const name = dictionary.name(ref);
  if (name === undefined) record.addDay(seriesId, day);
  else record.addSeries(seriesId, name, day);
  // A query of a day without points finds the series whose last point holds on that day.
  const heldDays = daysHeldAfter(dictionary.intervalMs(ref));
  for (let after = 1; after <= heldDays; after++) record.addDay(seriesId, day + after);
}
