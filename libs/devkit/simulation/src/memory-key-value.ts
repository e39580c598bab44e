import { ownCopy } from '@tidemark/bytes';
import { type KeyRange, type KeyValue, type KeyValueWrite, TidemarkError } from '@tidemark/ports';

/** Content that survives a crash: values by key in hexadecimal digits, which sort as bytes do. */
export type Content = Map<string, Buffer>;

/**
 * A key-value store in memory, whose writes a test can fail or delay. It has no time, no seed, and no checks of
 * arguments or of a closed store: `SimulatedKeyValue` has these, and passes the conformance suite.
 */
export class MemoryKeyValue implements KeyValue {
  readonly content: Content;
  /** Number of next writes and deletions that fail with `resource_exhausted`; if `failsLate`, after they were applied. */
  failingWrites = 0;
  failsLate = false;
  /** Bytes of the keys and values of each applied batch. */
  readonly batchBytes: number[] = [];
  /** Each write awaits it before it is applied. */
  gate: Promise<void> = Promise.resolve();
  #hasCrashed = false;

  constructor(content: Content = new Map()) {
    this.content = content;
  }

  /** Ends the process that has it: writes under way, and later ones, are not applied and never settle. */
  crash(): void {
    this.#hasCrashed = true;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.content.get(hexOf(key));
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this.content.get(hexOf(key)));
  }

  async *entries({ from, to, limit = Number.POSITIVE_INFINITY }: KeyRange) {
    const [first, end] = [hexOf(from), hexOf(to)];
    const found = [...this.content].filter(([key]) => key >= first && key < end).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, value] of found.slice(0, limit)) {
      await Promise.resolve();
      yield { key: Buffer.from(key, 'hex'), value: ownCopy(value) };
    }
  }

  async write(batch: readonly KeyValueWrite[]): Promise<void> {
    const owned = batch.map(({ key, value }) => ({ key: hexOf(key), value: value && Buffer.from(value) }));
    const batchBytes = batch.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);
    await this.#change(() => {
      for (const { key, value } of owned) {
        if (value === undefined) this.content.delete(key);
        else this.content.set(key, value);
      }
      this.batchBytes.push(batchBytes);
    });
  }

  async deleteRange(from: Uint8Array, to: Uint8Array): Promise<void> {
    const [first, end] = [hexOf(from), hexOf(to)];
    await this.#change(() => {
      for (const key of [...this.content.keys()]) if (key >= first && key < end) this.content.delete(key);
    });
  }

  async close(): Promise<void> {}

  async #change(apply: () => void): Promise<void> {
    await this.gate;
    if (this.#hasCrashed) await new Promise(() => undefined);
    const fails = this.failingWrites > 0;
    if (fails) this.failingWrites--;
    if (!fails || this.failsLate) apply();
    if (fails) throw new TidemarkError('resource_exhausted', 'the disk is full');
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
