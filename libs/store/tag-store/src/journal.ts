import { ByteReader, ByteWriter } from '@tidemark/bytes';
import { ID_BYTES, isSeriesClass, type SeriesClass } from '@tidemark/model';
import type { KeyValueWrite } from '@tidemark/ports';
import { journalKey, openValue, sealValue } from './store-layout.ts';
import type { TagIndex } from './tag-index.ts';

const TAG = 1;
const METRIC = 2;
const SERIES = 3;

/** Size from which on a commit closes the segment, so that a later commit rewrites less than this. */
const CLOSE_BYTES = 16 * 1024;
/** Size at which a segment closes at once, also within a commit. */
const LARGE_BYTES = 256 * 1024;
/** Maximum bytes of a text; those of the log are shorter. */
const TEXT_BYTES = 64 * 1024;

interface Segment {
  readonly number: number;
  /** Its stored form, which is made at once: a commit may have many. */
  readonly sealed: Buffer;
}

/**
 * Definitions of tags, metrics and series in the order of their numbers, in segments. Only the last segment, which is
 * small, is ever rewritten; so a commit of a few series is small, and opening reads few, large values.
 */
export class Journal {
  /** The generation of the numbers. */
  readonly generation: number;
  #closed: Segment[] = [];
  readonly #tail = new ByteWriter(1024);
  #tailNumber = 0;
  #isTailDirty = false;
  #uncommittedBytes = 0;
  /** Start of the entry being written, in the tail. */
  #startBytes = 0;

  constructor(generation = 0) {
    this.generation = generation;
  }

  /** Bytes of definitions since the last commit. */
  get uncommittedBytes(): number {
    return this.#uncommittedBytes;
  }

  tag(text: string): void {
    this.#begin(TAG);
    this.#tail.text(text);
    this.#end();
  }

  metric(tenant: string, name: string): void {
    this.#begin(METRIC);
    this.#tail.text(tenant);
    this.#tail.text(name);
    this.#end();
  }

  series(id: Uint8Array, metric: number, seriesClass: SeriesClass, tags: readonly number[]): void {
    this.#begin(SERIES);
    this.#tail.bytes(id);
    this.#tail.varint(metric);
    this.#tail.u8(seriesClass);
    this.#tail.varint(tags.length);
    for (const tag of tags) this.#tail.varint(tag);
    this.#end();
  }

  #begin(entry: number): void {
    this.#startBytes = this.#tail.length;
    this.#tail.u8(entry);
  }

  #end(): void {
    this.#uncommittedBytes += this.#tail.length - this.#startBytes;
    this.#isTailDirty = true;
    if (this.#tail.length >= LARGE_BYTES) this.#close();
  }

  #close(): void {
    this.#closed.push({ number: this.#tailNumber, sealed: sealValue(this.#tail.take()) });
    this.#tailNumber++;
    this.#isTailDirty = false;
  }

  /** The writes of all uncommitted definitions, and the function to call with their outcome. */
  capture(): { writes: KeyValueWrite[]; settle(isCommitted: boolean): void } {
    if (this.#tail.length >= CLOSE_BYTES) this.#close();
    const segments = this.#closed.slice();
    const hasTail = this.#isTailDirty;
    if (hasTail) segments.push({ number: this.#tailNumber, sealed: sealValue(this.#tail.view()) });
    const closed = this.#closed.length;
    const bytes = this.#uncommittedBytes;
    this.#isTailDirty = false;
    this.#uncommittedBytes = 0;
    return {
      writes: segments.map(({ number, sealed }) => ({ key: journalKey(this.generation, number), value: sealed })),
      settle: (isCommitted) => {
        if (isCommitted) {
          this.#closed = this.#closed.slice(closed);
          return;
        }
        this.#isTailDirty ||= hasTail;
        this.#uncommittedBytes += bytes;
      },
    };
  }

  /**
   * Loads one stored segment and adds its definitions to the index. Call it in the order of segments. Throws
   * `data_loss`.
   */
  load(number: number, sealed: Uint8Array, index: TagIndex): void {
    const what = `tag store journal ${number}`;
    const value = openValue(sealed, what);
    const reader = new ByteReader(value, what);
    if (number !== this.#tailNumber) reader.fail(`segment ${this.#tailNumber} is missing`);
    while (reader.remaining > 0) loadEntry(reader, index);
    this.#tail.reset();
    if (value.length < CLOSE_BYTES) this.#tail.bytes(value);
    this.#tailNumber++;
  }

  /** Continues the last segment if it has space. Call it after the last `load`. */
  resume(): void {
    if (this.#tail.length > 0) this.#tailNumber--;
  }
}

function loadEntry(reader: ByteReader, index: TagIndex): void {
  switch (reader.u8()) {
    case TAG:
      index.tags.add(reader.text(TEXT_BYTES));
      return;
    case METRIC:
      index.metrics.add(reader.text(TEXT_BYTES), reader.text(TEXT_BYTES));
      return;
    case SERIES:
      loadSeries(reader, index);
      return;
    default:
      reader.fail('unknown entry');
  }
}

function loadSeries(reader: ByteReader, index: TagIndex): void {
  const id = reader.bytes(ID_BYTES);
  const metric = reader.varint();
  if (metric >= index.metrics.all.length) reader.fail(`metric ${metric} of ${index.metrics.all.length}`);
  const seriesClass = reader.u8();
  if (!isSeriesClass(seriesClass)) reader.fail(`class ${seriesClass}`);
  const count = reader.varint();
  if (count > reader.remaining) reader.fail(`${count} tags in ${reader.remaining} bytes`);
  const tags: number[] = [];
  for (let i = 0; i < count; i++) {
    const tag = reader.varint();
    if (tag >= index.tags.size) reader.fail(`tag ${tag} of ${index.tags.size}`);
    tags.push(tag);
  }
  index.admit(id, index.metrics.all[metric], seriesClass, tags);
}
