import { daysHeldAfter, type MetricChange, type StatedSource } from '@tidemark/model';
import { type Clock, type Log, SettlingWriter, type TidemarkError } from '@tidemark/ports';
import { TagRecordWriter } from '@tidemark/tag-records';
import type { ClientDictionary } from './client-dictionary.ts';

const RECORD_BYTES = 512 * 1024;

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
  readonly #writer: SettlingWriter;
  /** All published records are below this offset of the partition's `tags`. */
  nextOffset = 0;

  constructor(log: Log, partition: number, clock: Clock) {
    this.#writer = new SettlingWriter(log, 'tags', partition, clock);
  }

  /** Error that prevents the log from accepting entries now. */
  get problem(): TidemarkError | undefined {
    return this.#writer.problem;
  }

  /** Monotonic ms until which the full log is known not to have stored the waiting entries. */
  get notStoredMs(): number {
    return this.#writer.notStoredMs;
  }

  /** Resolves once all entries are durable. Throws when the log cannot accept them before `signal` aborts. */
  async publish(entries: readonly TagRecordEntry[], signal: AbortSignal): Promise<void> {
    let from = 0;
    while (from < entries.length) {
      const record = new TagRecordWriter();
      let to = from;
      while (to < entries.length && record.sizeBytes < RECORD_BYTES) addEntry(record, entries[to++]);
      const { offset } = await this.#writer.append(record.take(), signal);
      this.nextOffset = Math.max(this.nextOffset, offset + 1);
      for (const { dictionary, day, ref } of entries.slice(from, to)) dictionary.markPublished(day, ref);
      from = to;
    }
  }

  /** Publishes statements, as `publish`. */
  async publishStatements(statements: readonly MetricStatementEntry[], signal: AbortSignal): Promise<void> {
    for (let at = 0; at < statements.length; ) {
      const record = new TagRecordWriter();
      while (at < statements.length && record.sizeBytes < RECORD_BYTES) {
        const { tenant, metric, source, change } = statements[at++];
        record.addStatement(tenant, metric, source, change);
      }
      const { offset } = await this.#writer.append(record.take(), signal);
      this.nextOffset = Math.max(this.nextOffset, offset + 1);
    }
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
