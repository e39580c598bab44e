import { compareBytes, fromHex, toHex } from '@tidemark/bytes';
import type { KeyRange, KeyValueWrite } from '@tidemark/ports';

/** A model of a key-value store: a map by the key's hexadecimal digits, which sort as the bytes do. */
export class KeyValueModel {
  readonly #values = new Map<string, Uint8Array>();

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(toHex(key));
  }

  write(batch: readonly KeyValueWrite[]): void {
    for (const { key, value } of batch) {
      if (value === undefined) this.#values.delete(toHex(key));
      else this.#values.set(toHex(key), value.slice());
    }
  }

  deleteRange(from: Uint8Array, to: Uint8Array): void {
    for (const { key } of this.entries({ from, to })) this.#values.delete(toHex(key));
  }

  entries(range: KeyRange): { key: Uint8Array; value: Uint8Array }[] {
    const entries = [...this.#values]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key: fromHex(key), value }))
      .filter(({ key }) => compareBytes(range.from, key) <= 0 && compareBytes(key, range.to) < 0);
    if (range.reverse) entries.reverse();
    return entries.slice(0, range.limit);
  }
}
