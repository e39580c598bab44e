import { SipHash } from '@tidemark/bytes';
import type { StatsdType } from './statsd-series.ts';

const PAGE_BYTES = 64 * 1024;
/** Where the hashed bytes begin, behind the key. */
const SCRATCH = 64;
/** Type and length of the name, so that no byte of the name can count as one of the tags. */
const HEAD_BYTES = 4;
/** Bytes that the hash may read behind the last one. */
const SLACK_BYTES = 8;
/** Up to this length, copying byte by byte is faster than creating a view to copy. */
const SHORT_BYTES = 128;

/** Hashes spellings with a random key: programs that send to a socket cannot choose names that collide. */
export class SpellingHash {
  readonly #memory = new WebAssembly.Memory({ initial: 1 });
  readonly #sipHash: SipHash;
  #bytes: Uint8Array;

  /** `key` has 16 random bytes. */
  constructor(key: Uint8Array) {
    this.#sipHash = new SipHash(this.#memory, key);
    this.#bytes = new Uint8Array(this.#memory.buffer);
  }

  /** Returns the 32-bit hash of a name, its type and its tags, which are ranges of `bytes`. */
  of(bytes: Uint8Array, nameFrom: number, nameTo: number, type: StatsdType, tagsFrom: number, tagsTo: number): number {
    const nameBytes = nameTo - nameFrom;
    const length = HEAD_BYTES + nameBytes + tagsTo - tagsFrom;
    if (SCRATCH + length + SLACK_BYTES > this.#bytes.length) this.#grow(length);
    const own = this.#bytes;
    own[SCRATCH] = type;
    own[SCRATCH + 1] = nameBytes;
    own[SCRATCH + 2] = nameBytes >>> 8;
    own[SCRATCH + 3] = nameBytes >>> 16;
    copy(bytes, nameFrom, nameTo, own, SCRATCH + HEAD_BYTES);
    copy(bytes, tagsFrom, tagsTo, own, SCRATCH + HEAD_BYTES + nameBytes);
    return this.#sipHash.hash(SCRATCH, length);
  }

  #grow(length: number): void {
    const missing = SCRATCH + length + SLACK_BYTES - this.#bytes.length;
    this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
    this.#bytes = new Uint8Array(this.#memory.buffer);
  }
}

function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start > SHORT_BYTES) to.set(from.subarray(start, end), at);
  else for (let i = start; i < end; i++) to[at + i - start] = from[i];
}
