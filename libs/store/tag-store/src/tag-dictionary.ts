import { ABSENT, Uint32List } from './typed-list.ts';

/** Entries of one Map. V8 throws beyond 2^24 entries, so a shard continues in another Map well before. */
const MAP_ENTRIES = 8_000_000;
/** Maps that share the texts: one Map of a million texts takes 100 ms to grow. */
const SHARDS = 64;

/** Texts ↔ dense numbers in the order of first addition; each text is stored once. */
export class TextDictionary {
  readonly #texts: string[] = [];
  readonly #shards: Map<string, number>[][] = Array.from({ length: SHARDS }, () => [new Map()]);

  get size(): number {
    return this.#texts.length;
  }

  text(id: number): string {
    return this.#texts[id];
  }

  /** The number of a text, or `ABSENT`. */
  find(text: string): number {
    const maps = this.#shards[shardOf(text)];
    for (let i = 0; i < maps.length; i++) {
      const id = maps[i].get(text);
      if (id !== undefined) return id;
    }
    return ABSENT;
  }

  /** Adds a text that does not exist yet; its number is the previous size. */
  add(text: string): number {
    const maps = this.#shards[shardOf(text)];
    let map = maps[maps.length - 1];
    if (map.size >= MAP_ENTRIES) {
      map = new Map();
      maps.push(map);
    }
    const id = this.#texts.length;
    map.set(text, id);
    this.#texts.push(text);
    return id;
  }
}

/** By the last characters, in which most of many tags of a key differ. */
function shardOf(text: string): number {
  const { length } = text;
  if (length < 2) return 0;
  return (
    (Math.imul(text.charCodeAt(length - 1), 31) + Math.imul(text.charCodeAt(length - 2), 7) + length) & (SHARDS - 1)
  );
}

/** The tags of a partition, each stored once, with the id of each tag's key. */
export class TagDictionary {
  readonly #tags = new TextDictionary();
  readonly #keys = new TextDictionary();
  /** The id of each tag's key, by the tag's id. */
  readonly keyIds = new Uint32List();

  get size(): number {
    return this.#tags.size;
  }

  /** The id of a tag, or `ABSENT`. */
  tagId(tag: string): number {
    return this.#tags.find(tag);
  }

  /** The id of a key, or `ABSENT`. */
  keyId(key: string): number {
    return this.#keys.find(key);
  }

  add(tag: string): number {
    const key = keyOfTag(tag);
    const known = this.#keys.find(key);
    this.keyIds.push(known === ABSENT ? this.#keys.add(key) : known);
    return this.#tags.add(tag);
  }

  tagText(tagId: number): string {
    return this.#tags.text(tagId);
  }

  keyText(keyId: number): string {
    return this.#keys.text(keyId);
  }

  /** The value of a tag: the part behind the first colon; empty for a bare word. */
  valueText(tagId: number): string {
    const tag = this.#tags.text(tagId);
    const colon = tag.indexOf(':');
    return colon < 0 ? '' : tag.slice(colon + 1);
  }
}

/** The key of a tag: the part before the first colon. A bare word is a key with an empty value. */
export function keyOfTag(tag: string): string {
  const colon = tag.indexOf(':');
  return colon < 0 ? tag : tag.slice(0, colon);
}
