import type { KeyRange, KeyValue, KeyValueWrite } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { turn } from './turns.ts';

/** A change that waits, and what its caller gets. */
interface Waiting {
  readonly apply: () => Promise<void>;
  readonly settle: (outcome: Promise<void>) => void;
}

/** A store whose changes wait, in their order, until a test lets each of them happen or fail. */
export class SteppedKeyValue implements KeyValue {
  readonly stored: MemoryKeyValue;
  #waiting: Waiting[] = [];

  constructor(content = new Map<string, Buffer>()) {
    this.stored = new MemoryKeyValue(content);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lets the first change happen, or fail: before it was applied, or after. */
  async step(outcome: 'done' | 'failed' | 'failed late' = 'done'): Promise<void> {
    const [first] = this.#waiting.splice(0, 1);
    if (first === undefined) return;
    if (outcome !== 'done') Object.assign(this.stored, { failingWrites: 1, failsLate: outcome === 'failed late' });
    first.settle(first.apply());
    await turn();
    this.stored.failingWrites = 0;
  }

  /** Lets all changes happen, also those that follow from them. */
  async stepAll(): Promise<void> {
    while (this.waiting > 0) await this.step();
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.stored.get(key);
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.stored.getMany(keys);
  }

  entries(range: KeyRange): AsyncIterable<{ key: Uint8Array; value: Uint8Array }> {
    return this.stored.entries(range);
  }

  write(batch: readonly KeyValueWrite[]): Promise<void> {
    return this.#wait(() => this.stored.write(batch));
  }

  deleteRange(from: Uint8Array, to: Uint8Array): Promise<void> {
    return this.#wait(() => this.stored.deleteRange(from, to));
  }

  async close(): Promise<void> {}

  #wait(apply: () => Promise<void>): Promise<void> {
    return new Promise((settle) => this.#waiting.push({ apply, settle }));
  }
}
