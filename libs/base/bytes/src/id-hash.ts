import { SIP_KEY_BYTES, SipHash } from './sip-hash.ts';

/** Where the id begins in the memory, behind the key. */
const ID_AT = 64;
const ID_BYTES = 16;
const ID_WORDS = ID_BYTES / 4;

let keyless: IdHash | undefined;

/**
 * Hashes ids of 16 bytes with a secret key (SipHash-1-3). Ids are hashes of names, and senders choose the names: for a table
 * that takes a part of the id for its slot, they can search names whose ids are close to each other.
 *
 * The tables of a thread share one: its memory of WebAssembly has a page, but reserves 8 GiB of addresses on most machines.
 */
export class IdHash {
  readonly key: Uint8Array;
  readonly #sipHash: SipHash;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;

  /** `key` has 16 random bytes. */
  constructor(key: Uint8Array) {
    this.key = key;
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    this.#sipHash = new SipHash(memory, key);
    this.#bytes = new Uint8Array(memory.buffer, ID_AT, ID_BYTES);
    this.#words = new Uint32Array(memory.buffer, ID_AT, ID_WORDS);
  }

  /** The hash whose key is zeros, one a thread: tables without a secret, as in tests, are all alike. */
  static withoutKey(): IdHash {
    keyless ??= new IdHash(new Uint8Array(SIP_KEY_BYTES));
    return keyless;
  }

  /** Returns the 32-bit hash of an id. */
  of(id: Uint8Array): number {
    this.#bytes.set(id);
    return this.#sipHash.hash(ID_AT, ID_BYTES);
  }

  /** Returns the hash of the id whose four words, in the byte order of this machine, are at `at`. */
  ofWords(words: Uint32Array, at: number): number {
    const own = this.#words;
    own[0] = words[at];
    own[1] = words[at + 1];
    own[2] = words[at + 2];
    own[3] = words[at + 3];
    return this.#sipHash.hash(ID_AT, ID_BYTES);
  }
}
