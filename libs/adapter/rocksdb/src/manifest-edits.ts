import { recordsOf } from './record-frames.ts';

/** Tags of fields of an edit: with a text, with a number, and those that newer programs add, which all have a text. */
const TEXT_TAGS: ReadonlySet<number> = new Set([1, 201]);
const NUMBER_TAGS: ReadonlySet<number> = new Set([2, 3, 4, 9, 10, 200, 203, 300]);
const LAST_SEQUENCE_TAG = 4;
const DELETED_TABLE_TAG = 6;
const NEW_TABLE_TAG = 103;
const FIRST_ADDED_TAG = 8192;
/** The end of the fields that follow a new table. */
const TABLE_END_TAG = 1;

/** What an edit says of sequences of writes. */
interface EditSequences {
  /** The newest write when the edit was made, in tables or not; undefined when the edit does not have it. */
  readonly last: number | undefined;
  /** The newest write in tables that the edit adds; 0 without any. */
  readonly inTables: number;
  /** False when it has a field that is not known here. */
  readonly isKnown: boolean;
}

/**
 * The sequence up to which all writes are in the tables that a manifest names. Its edits have the newest sequence of their time,
 * too, which is a later one when a flush in the background ended between writes. Only the first is that of the tables: an open
 * begins the manifest, and makes tables of all writes before it. It counts because compactions set sequences of tables to 0.
 */
export function tableSequenceOf(manifest: Buffer): number {
  let sequence: number | undefined;
  for (const record of recordsOf(manifest)) {
    if (!('bytes' in record)) continue;
    const { last, inTables, isKnown } = sequencesOf(record.bytes);
    // Of an edit that can't be read to its end, the tables are not known.
    const first = sequence === undefined || !isKnown ? last : undefined;
    if (first !== undefined || inTables > 0) sequence = Math.max(sequence ?? 0, first ?? 0, inTables);
  }
  return sequence ?? 0;
}

function sequencesOf(edit: Buffer): EditSequences {
  const fields = new Fields(edit);
  let last: number | undefined;
  let inTables = 0;
  while (!fields.isAtEnd) {
    const tag = fields.number();
    if (tag === LAST_SEQUENCE_TAG) last = fields.number();
    else if (tag === NEW_TABLE_TAG) inTables = Math.max(inTables, fields.newTable());
    else if (tag === DELETED_TABLE_TAG) fields.skipNumbers(2);
    else if (TEXT_TAGS.has(tag) || tag >= FIRST_ADDED_TAG) fields.skipText();
    else if (NUMBER_TAGS.has(tag)) fields.skipNumbers(1);
    else return { last, inTables, isKnown: false };
  }
  return { last, inTables, isKnown: true };
}

/** Reads the fields of an edit in their order. */
class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; !this.isAtEnd; scale *= 128) {
      const byte = this.#bytes[this.#at++];
      value += (byte & 127) * scale;
      if (byte < 128) break;
    }
    return value;
  }

  skipNumbers(count: number): void {
    for (let i = 0; i < count; i++) this.number();
  }

  skipText(): void {
    const length = this.number();
    this.#at += length;
  }

  /**
   * Reads a new table: level, number, size, first and last key, first and last sequence, other fields. Returns the last
   * sequence.
   */
  newTable(): number {
    this.skipNumbers(3);
    this.skipText();
    this.skipText();
    this.skipNumbers(1);
    const sequence = this.number();
    while (!this.isAtEnd && this.number() !== TABLE_END_TAG) this.skipText();
    return sequence;
  }
}
