import {
  below,
  type Clock,
  type KeyRange,
  type KeyValue,
  type KeyValueWrite,
  limitError,
  type OpenKeyValue,
  type Random,
  sleep,
  TidemarkError,
} from '@tidemark/ports';
import type { FaultPlan } from './fault-plan.ts';
import type { Incarnation } from './incarnation.ts';

const MAX_KEY_BYTES = 65_536;
const MAX_VALUE_BYTES = 67_108_864;

export interface SimulatedKeyValueOptions {
  readonly clock: Clock;
  readonly random: Random;
  /**
   * Faults: `key-value.full` and `key-value.write-error` (the batch is not applied), `key-value.sync-error` (it is, and reads
   * see it), `key-value.slow` (100 times the latency).
   */
  readonly faults?: FaultPlan;
  /** Max latency of an operation, ms of virtual time. Default 2. */
  readonly maxLatencyMs?: number;
}

/** Keys are Latin-1 strings, which compare as their bytes do. */
interface Table {
  readonly values: Map<string, Uint8Array>;
  sortedKeys: string[] | undefined;
  openedBy: Incarnation | undefined;
  pending: Change[];
}

interface Change {
  readonly apply: (table: Table) => void;
}

/**
 * The key-value stores of one machine, by name; they outlive its processes. After a crash, each batch whose `write` has
 * resolved is stored. Of the batches in progress, a seeded number is stored, each whole, in the order of the calls.
 */
export class SimulatedKeyValue {
  readonly #tables = new Map<string, Table>();
  readonly #options: SimulatedKeyValueOptions;

  constructor(options: SimulatedKeyValueOptions) {
    this.#options = options;
  }

  /** Makes the stores for one process. Opening an open store throws `failed_precondition`. */
  bind(incarnation: Incarnation): OpenKeyValue {
    return (name) =>
      incarnation.guard(async () => {
        await this.#delay(undefined);
        incarnation.assertAlive();
        let table = this.#tables.get(name);
        if (table === undefined) {
          table = { values: new Map(), sortedKeys: undefined, openedBy: undefined, pending: [] };
          this.#tables.set(name, table);
        }
        if (table.openedBy !== undefined) {
          throw new TidemarkError('failed_precondition', `the store ${name} is already open`, { name });
        }
        return this.#open(table, incarnation);
      });
  }

  #open(table: Table, incarnation: Incarnation): KeyValue {
    table.openedBy = incarnation;
    const forget = incarnation.atEnd(() => {
      const survivors = below(this.#options.random, table.pending.length + 1);
      for (const change of table.pending.slice(0, survivors)) change.apply(table);
      table.pending = [];
      table.openedBy = undefined;
    });
    return new OpenStore(table, incarnation, {
      delay: (fault) => this.#delay(fault),
      faults: this.#options.faults,
      forget,
    });
  }

  async #delay(slowFault: string | undefined): Promise<void> {
    const { clock, random, faults, maxLatencyMs = 2 } = this.#options;
    const slow = slowFault !== undefined && faults?.fires(slowFault) ? 100 : 1;
    await sleep(clock, random.next() * maxLatencyMs * slow);
  }
}

interface StoreContext {
  readonly delay: (fault: string | undefined) => Promise<void>;
  readonly faults: FaultPlan | undefined;
  readonly forget: () => void;
}

class OpenStore implements KeyValue {
  readonly #table: Table;
  readonly #incarnation: Incarnation;
  readonly #context: StoreContext;
  #tail: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(table: Table, incarnation: Incarnation, context: StoreContext) {
    this.#table = table;
    this.#incarnation = incarnation;
    this.#context = context;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return (await this.getMany([key]))[0];
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#do(async () => {
      const names = keys.map(nameOf);
      await this.#context.delay(undefined);
      return names.map((name) => this.#table.values.get(name)?.slice());
    });
  }

  entries(range: KeyRange): AsyncIterable<{ key: Uint8Array; value: Uint8Array }> {
    this.#checkOpen();
    const from = latin1(range.from);
    const to = latin1(range.to);
    this.#table.sortedKeys ??= [...this.#table.values.keys()].sort();
    const keys = this.#table.sortedKeys;
    const inRange = keys.slice(lowerBound(keys, from), lowerBound(keys, to));
    if (range.reverse) inRange.reverse();
    const snapshot: [string, Uint8Array][] = [];
    for (const key of inRange.slice(0, range.limit)) {
      const value = this.#table.values.get(key);
      if (value !== undefined) snapshot.push([key, value]);
    }
    return this.#iterate(snapshot);
  }

  async *#iterate(entries: [string, Uint8Array][]): AsyncGenerator<{ key: Uint8Array; value: Uint8Array }> {
    await this.#do(() => this.#context.delay(undefined));
    for (const [key, value] of entries) yield { key: Buffer.from(key, 'latin1'), value: Uint8Array.from(value) };
  }

  write(batch: readonly KeyValueWrite[]): Promise<void> {
    return this.#do(async () => {
      const writes = batch.map(({ key, value }) => ({ name: nameOf(key), value: checkedCopy(value) }));
      await this.#change((table) => {
        for (const { name, value } of writes) {
          if (value === undefined) table.values.delete(name);
          else table.values.set(name, value);
        }
      });
    });
  }

  deleteRange(from: Uint8Array, to: Uint8Array): Promise<void> {
    return this.#do(async () => {
      const first = latin1(from);
      const end = latin1(to);
      await this.#change((table) => {
        for (const key of table.values.keys()) {
          if (first <= key && key < end) table.values.delete(key);
        }
      });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#incarnation.guard(async () => {
      await this.#tail;
      this.#incarnation.assertAlive();
      this.#context.forget();
      this.#table.openedBy = undefined;
    });
    return this.#closing;
  }

  #change(apply: (table: Table) => void): Promise<void> {
    const change: Change = {
      apply(table) {
        apply(table);
        table.sortedKeys = undefined;
      },
    };
    this.#table.pending.push(change);
    const done = this.#tail.then(async () => {
      await this.#context.delay('key-value.slow');
      // The crash of an ended process has already settled its pending changes.
      this.#incarnation.assertAlive();
      this.#table.pending.shift();
      if (this.#context.faults?.fires('key-value.full')) {
        throw new TidemarkError('resource_exhausted', 'injected: the disk of the key-value store is full');
      }
      if (this.#context.faults?.fires('key-value.write-error')) {
        throw new TidemarkError('unavailable', 'injected: the key-value store failed to write');
      }
      change.apply(this.#table);
      if (this.#context.faults?.fires('key-value.sync-error')) {
        throw new TidemarkError('unavailable', 'injected: the key-value store failed to sync');
      }
    });
    this.#tail = done.catch(() => undefined);
    return done;
  }

  async #do<T>(operation: () => Promise<T>): Promise<T> {
    this.#checkOpen();
    return this.#incarnation.guard(operation);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new TidemarkError('failed_precondition', 'the key-value store is closed');
  }
}

/** Returns the index of the first key that is not below `bound`. */
function lowerBound(keys: readonly string[], bound: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle] < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function nameOf(key: Uint8Array): string {
  if (key.length === 0 || key.length > MAX_KEY_BYTES) {
    throw limitError('key', `${key.length} bytes`, `1 to ${MAX_KEY_BYTES} bytes`);
  }
  return latin1(key);
}

function checkedCopy(value: Uint8Array | undefined): Uint8Array | undefined {
  if (value !== undefined && value.length > MAX_VALUE_BYTES) {
    throw limitError('value', `${value.length} bytes`, `${MAX_VALUE_BYTES} bytes`);
  }
  return value?.slice();
}
