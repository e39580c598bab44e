import type { KeyValue } from '@tidemark/ports';

/** Keys of stored pages (docs/formats/point-store.md): prefix, place of the page, and its version. */
const PAGE_PREFIX = 0x10;
const PAGE_KEY_BYTES = 27;
const VERSION_AT = 21;

/** The page of a later commit takes the place of the earlier one of the same series. */
export function replacingPages(keyValue: KeyValue): KeyValue {
  return {
    get: (key) => keyValue.get(key),
    getMany: (keys) => keyValue.getMany(keys),
    entries: (range) => keyValue.entries(range),
    write: (batch) => keyValue.write(batch.map((one) => ({ ...one, key: withoutVersion(one.key) }))),
    deleteRange: (from, to) => keyValue.deleteRange(from, to),
    close: () => keyValue.close(),
  };
}

function withoutVersion(key: Uint8Array): Uint8Array {
  return isPage(key) ? Uint8Array.from(key).fill(0, VERSION_AT) : key;
}

function isPage(key: Uint8Array): boolean {
  return key.length === PAGE_KEY_BYTES && key[0] === PAGE_PREFIX;
}
