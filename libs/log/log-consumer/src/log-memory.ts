import { ByteReader, ByteWriter } from '@tidemark/bytes';
import { isTidemarkError, type KeyValue, type Log, type LogRecord, TidemarkError, type Topic } from '@tidemark/ports';

/** Key of the entry. No state has a key that begins with this byte. */
const KEY = Uint8Array.of(0xf0);
const VERSION = 1;
const ID_BYTES = 64;
/** Generations that are kept: of the last commit and of records after it that were not committed. */
const GENERATIONS = 8;

interface Generation {
  /** Offset of the first record that was read of the generation. */
  readonly from: number;
  readonly generation: number;
}

/**
 * What a consumer keeps of the log that it reads, in addition to its state: the log's id, and the generations of the
 * records that it read last. It is stored before the commit that it belongs to. So a log that was replaced is noticed at
 * the next start, however many records it has meanwhile.
 */
export class LogMemory {
  readonly #keyValue: KeyValue;
  #id: string | undefined;
  #generations: Generation[];
  #isSaved = true;

  private constructor(keyValue: KeyValue, id: string | undefined, generations: Generation[]) {
    this.#keyValue = keyValue;
    this.#id = id;
    this.#generations = generations;
  }

  /** Loads what the database of a consumer has. Errors: `data_loss` when it is malformed, those of the database. */
  static async load(keyValue: KeyValue): Promise<LogMemory> {
    const stored = await keyValue.get(KEY);
    if (stored === undefined) return new LogMemory(keyValue, undefined, []);
    const reader = new ByteReader(stored, 'the memory of the log');
    const version = reader.u8();
    if (version !== VERSION) reader.fail(`format ${version}, this program reads ${VERSION}`);
    const id = reader.text(ID_BYTES);
    const generations: Generation[] = [];
    while (reader.remaining > 0) generations.push({ from: reader.varint(), generation: reader.u32() });
    return new LogMemory(keyValue, id, generations);
  }

  /** Id of the log that was read; undefined before the first check. */
  get id(): string | undefined {
    return this.#id;
  }

  /** Notes a record that was applied. */
  note({ offset, generation }: LogRecord): void {
    if (generation === undefined || this.#generations.at(-1)?.generation === generation) return;
    this.#generations = [...this.#generations, { from: offset, generation }].slice(-GENERATIONS);
    this.#isSaved = false;
  }

  /** Stores what changed. Call it before the state is committed. */
  async save(): Promise<void> {
    if (this.#isSaved || this.#id === undefined) return;
    const out = new ByteWriter();
    out.u8(VERSION);
    out.text(this.#id);
    for (const { from, generation } of this.#generations) {
      out.varint(from);
      out.u32(generation);
    }
    await this.#keyValue.write([{ key: KEY, value: out.take() }]);
    this.#isSaved = true;
  }

  /**
   * Compares the log with the one that was read up to `committedOffset`. Returns a `data_loss` that says how it differs, or
   * undefined. Passes on errors of the log.
   */
  async difference(
    log: Pick<Log, 'read' | 'bounds'>,
    topic: Topic,
    partition: number,
    committedOffset: number,
  ): Promise<TidemarkError | undefined> {
    // What was read after the last commit is read again, perhaps from another generation.
    this.#generations = this.#generations.filter(({ from }) => from < committedOffset);
    const { id, first, next } = await log.bounds(topic, partition);
    if (id === undefined) return undefined;
    if (this.#id === undefined) {
      this.#id = id;
      this.#isSaved = false;
      return undefined;
    }
    const name = `${topic}/${partition}`;
    const detail = { topic, partition, id, known: this.#id };
    if (id !== this.#id) {
      return new TidemarkError(
        'data_loss',
        `${name}: ${OTHER_LOG}: it has the id ${id}, expected ${this.#id}; ${ADVICE}`,
        detail,
      );
    }
    const last = committedOffset - 1;
    const expected = this.#generations.at(-1)?.generation;
    if (expected === undefined || last < first || last >= next) return undefined;
    const found = await generationAt(log, topic, partition, last);
    if (found === undefined || found === expected) return undefined;
    const text = `the record at offset ${last} was appended by another run of its writer`;
    return new TidemarkError('data_loss', `${name}: ${OTHER_LOG}: ${text}; ${ADVICE}`, { ...detail, offset: last });
  }
}

const OTHER_LOG = 'the log is not the one that this store has read';
const ADVICE = 'restore the log that belongs to the store';

/** The generation of a record; undefined when it can't be read. */
async function generationAt(
  log: Pick<Log, 'read'>,
  topic: Topic,
  partition: number,
  offset: number,
): Promise<number | undefined> {
  try {
    const [record] = await log.read(topic, partition, offset, { maxBytes: 1, waitMs: 0 });
    return record?.generation;
  } catch (error) {
    if (isTidemarkError(error, 'data_loss') || isTidemarkError(error, 'out_of_range')) return undefined;
    throw error;
  }
}
