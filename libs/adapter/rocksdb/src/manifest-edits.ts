import { recordsOf } from './record-frames.ts';

/** Tags of fields of an edit: with a text, with a number, and those that newer programs add, which all have a text. */
const TEXT_TAGS: ReadonlySet<number> = new Set([1, 201]);
const NUMBER_TAGS: ReadonlySet<number> = new Set([2, 3, 4, 9, 10, 200, 203, 300]);
const LAST_SEQUENCE_TAG = 4;
const DELETED_TABLE_TAG = 6;
const NEW_TABLE_TAG = 103;
const FIRST_ADDED_TAG = 8192;
/** Sequence and kind of write, at the end of a key in a table. */
const KEY_TAG_BYTES = 8;
/** The end of the fields that follow a new table. */
const TABLE_END_TAG = 1;

/** A change of a database's tables, up to the first field that is not known here. */
interface Edit {
  /** The newest write when the edit was made, in tables or not; undefined when the edit does not have it. */
  readonly last: number | undefined;
  /** The newest write in tables that the edit adds; 0 without any. */
  readonly inTables: number;
  /** A table that moves to another level is deleted and added. */
  readonly added: readonly ManifestTable[];
  /** Numbers of tables. */
  readonly deleted: readonly number[];
  /** False when it has a field that is not known here. */
  readonly isKnown: boolean;
}

/** A table, and the keys between which it has entries, both included. */
export interface ManifestTable {
  readonly number: number;
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

/** The tables of a database at the end of a manifest. */
export interface ManifestTables {
  /** By ascending number. */
  readonly tables: readonly ManifestTable[];
  /** Where the last whole edit ends. */
  readonly end: number;
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
    const { last, inTables, isKnown } = editOf(record.bytes);
    // Of an edit that can't be read to its end, the tables are not known.
    const first = sequence === undefined || !isKnown ? last : undefined;
    if (first !== undefined || inTables > 0) sequence = Math.max(sequence ?? 0, first ?? 0, inTables);
  }
  return sequence ?? 0;
}

/**
 * The tables that a manifest names, which may be one that is written at this moment. Returns what is wrong where it is damaged, or
 * has a field that is not known here.
 */
export function tablesOf(manifest: Buffer): ManifestTables | string {
  const tables = new Map<number, ManifestTable>();
  let whole = 0;
  for (const record of recordsOf(manifest)) {
    if (!('bytes' in record)) return `at offset ${record.at}: ${record.what}`;
    const { added, deleted, isKnown } = editOf(record.bytes);
    if (!isKnown) return `at offset ${record.at}: an edit with a field that is not known`;
    for (const number of deleted) tables.delete(number);
    for (const table of added) tables.set(table.number, table);
    whole = record.end;
  }
  return { tables: [...tables.values()].sort((a, b) => a.number - b.number), end: whole };
}

function editOf(edit: Buffer): Edit {
  const fields = new Fields(edit);
  let last: number | undefined;
  let inTables = 0;
  const added: ManifestTable[] = [];
  const deleted: number[] = [];
  while (!fields.isAtEnd) {
    const tag = fields.number();
    if (tag === LAST_SEQUENCE_TAG) last = fields.number();
    else if (tag === NEW_TABLE_TAG) {
      const { sequence, ...table } = fields.newTable();
      added.push(table);
      inTables = Math.max(inTables, sequence);
    } else if (tag === DELETED_TABLE_TAG) {
      fields.skipNumbers(1);
      deleted.push(fields.number());
    } else if (TEXT_TAGS.has(tag) || tag >= FIRST_ADDED_TAG) fields.skipText();
    else if (NUMBER_TAGS.has(tag)) fields.skipNumbers(1);
    else return { last, inTables, added, deleted, isKnown: false };
  }
  return { last, inTables, added, deleted, isKnown: true };
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
   * Reads a new table: level, number, size, first and last key, first and last sequence, other fields. `sequence` is its last
   * one.
   */
  newTable(): ManifestTable & { sequence: number } {
    this.skipNumbers(1);
    const number = this.number();
    this.skipNumbers(1);
    const first = this.#key();
    const last = this.#key();
    this.skipNumbers(1);
    const sequence = this.number();
    while (!this.isAtEnd && this.number() !== TABLE_END_TAG) this.skipText();
    return { number, first, last, sequence };
  }

  /** A key of a table, without the sequence and the kind of write that RocksDB adds. */
  #key(): Uint8Array {
    const length = this.number();
    const key = this.#bytes.subarray(this.#at, this.#at + Math.max(0, length - KEY_TAG_BYTES));
    this.#at += length;
    return key;
  }
}
