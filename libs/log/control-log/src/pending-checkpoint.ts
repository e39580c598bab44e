import { Checkpoint } from '@tidemark/contract';
import { joinCheckpoint } from './checkpoint-parts.ts';
import type { LostControlInfo } from './control-entries.ts';
import type { ControlMessage } from './control-record.ts';

/** Max records from the beginning of a checkpoint to its end: every reader has them in memory, about 20 MB at most. */
const MAX_RECORDS = 50_000;

/** A record after the beginning of a checkpoint. */
export interface PassedRecord {
  readonly message: ControlMessage;
  readonly offset: number;
  readonly appendTimeMs: number;
}

/** What a reader has read since a checkpoint began: its parts so far, and all records, which come after its state. */
export class PendingCheckpoint {
  #begun: { readonly term: number; readonly offset: number } | undefined;
  #parts: Checkpoint[] = [];
  #passed: (PassedRecord | LostControlInfo)[] = [];

  /** Begins a checkpoint as of the record at `offset`. An earlier one that is not complete is void. */
  begin(term: number, offset: number): void {
    this.#begun = { term, offset };
    this.#parts = [];
    this.#passed = [];
  }

  /** Drops what was read: the checkpoint is void, or has been applied. */
  clear(): void {
    this.#begun = undefined;
    this.#parts = [];
    this.#passed = [];
  }

  /** Adds a record, or records that the log has lost, for a later `passed`. */
  pass(one: PassedRecord | LostControlInfo): void {
    if (this.#begun === undefined) return;
    const last = 'message' in one ? one.offset : one.offset + one.records - 1;
    // By offsets, which are the same for a reader that has lost some of the records.
    if (last - this.#begun.offset > MAX_RECORDS) this.clear();
    else this.#passed.push('message' in one ? withoutEntries(one) : one);
  }

  /** What was passed since the checkpoint began, in log order. */
  get passed(): readonly (PassedRecord | LostControlInfo)[] {
    return this.#passed;
  }

  /** Adds a part. If it is the last one, it is not added, and the whole checkpoint is returned. */
  add(part: Checkpoint): Checkpoint | undefined {
    const isNext =
      part.offset === this.#begun?.offset && part.term === this.#begun.term && part.part === this.#parts.length;
    if (!isNext) return undefined;
    if (part.part + 1 >= part.parts) return joinCheckpoint([...this.#parts, part]);
    this.#parts.push(part);
    return undefined;
  }
}

/** The parts of the checkpoint are kept apart. */
function withoutEntries(record: PassedRecord): PassedRecord {
  const { message } = record;
  if (message.$case !== 'checkpoint') return record;
  const { term, offset } = message.value;
  return { ...record, message: { $case: 'checkpoint', value: Checkpoint.create({ term, offset }) } };
}
