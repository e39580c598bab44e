import { type KeyRange, type KeyValue, type KeyValueWrite, TidemarkError } from '@tidemark/ports';

/** What survives a crash: the content, key and value in Latin-1, which sorts as bytes do. */
export type Content = Map<string, Buffer>;

/** A key-value store in memory, whose writes can be made to fail, or to wait. */
export class MemoryKeyValue implements KeyValue {
  readonly content: Content;
  /** Each of so many writes to come fails with `resource_exhausted`, after it was applied if `failsLate`. */
  failingWrites = 0;
  failsLate = false;
  writes = 0;
  /** Awaited by each write, before it is applied. */
  gate: Promise<void> = Promise.resolve();

  constructor(content: Content = new Map()) {
    this.content = content;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.content.get(text(key));
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this.content.get(text(key)));
  }

  async *entries({ from, to, limit = Number.POSITIVE_INFINITY }: KeyRange) {
    const [first, end] = [text(from), text(to)];
    const found = [...this.content].filter(([key]) => key >= first && key < end).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, value] of found.slice(0, limit)) {
      await Promise.resolve();
      yield { key: Buffer.from(key, 'latin1'), value };
    }
  }

  async write(batch: readonly KeyValueWrite[]): Promise<void> {
    const owned = batch.map(({ key, value }) => ({ key: text(key), value: value && Buffer.from(value) }));
    await this.gate;
    const fails = this.failingWrites > 0;
    if (fails) this.failingWrites--;
    if (!fails || this.failsLate) {
      for (const { key, value } of owned) {
        if (value === undefined) this.content.delete(key);
        else this.content.set(key, value);
      }
      this.writes++;
    }
    if (fails) throw new TidemarkError('resource_exhausted', 'the disk is full');
  }

  async deleteRange(from: Uint8Array, to: Uint8Array): Promise<void> {
    const [first, end] = [text(from), text(to)];
    for (const key of [...this.content.keys()]) if (key >= first && key < end) this.content.delete(key);
  }

  async close(): Promise<void> {}
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
