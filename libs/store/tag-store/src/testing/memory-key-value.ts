import { compareBytes, fromHex, toHex } from '@tidemark/bytes';
import { type KeyRange, type KeyValue, type KeyValueWrite, TidemarkError } from '@tidemark/ports';

/** A key-value store in memory for this library's tests; what it holds survives the partition that is «crashed». */
export class MemoryKeyValue implements KeyValue {
  readonly content = new Map<string, Uint8Array>();
  /** Bytes of keys and values of each batch. */
  readonly batchBytes: number[] = [];
  failNextWrite = false;

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.content.get(toHex(key));
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this.content.get(toHex(key)));
  }

  async *entries(range: KeyRange): AsyncIterable<{ key: Uint8Array; value: Uint8Array }> {
    for (const [hex, value] of [...this.content].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const key = fromHex(hex);
      if (compareBytes(key, range.from) >= 0 && compareBytes(key, range.to) < 0) yield { key, value: value.slice() };
    }
  }

  async write(batch: readonly KeyValueWrite[]): Promise<void> {
    if (this.failNextWrite) {
      this.failNextWrite = false;
      throw new TidemarkError('resource_exhausted', 'the disk is full');
    }
    this.batchBytes.push(batch.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0));
    for (const { key, value } of batch) {
      if (value === undefined) this.content.delete(toHex(key));
      else this.content.set(toHex(key), value.slice());
    }
  }

  async deleteRange(from: Uint8Array, to: Uint8Array): Promise<void> {
    for await (const { key } of this.entries({ from, to })) this.content.delete(toHex(key));
  }

  async close(): Promise<void> {}
}
