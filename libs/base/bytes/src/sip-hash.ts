import { SIP_HASH_WASM } from './generated/sip-hash.ts';

const compiled = new WebAssembly.Module(Buffer.from(SIP_HASH_WASM, 'base64'));

/** Bytes of a key. */
export const SIP_KEY_BYTES = 16;

/**
 * SipHash-1-3 (Aumasson, Bernstein, 2012) of bytes in a WebAssembly memory. A hash table whose keys come from outside
 * uses it with a random key: a sender that does not know the key cannot choose keys that collide.
 */
export class SipHash {
  /** The lower 32 bits of the hash of `length` bytes at `at` in the memory. Reads up to 7 bytes behind them. */
  readonly hash: (at: number, length: number) => number;

  /** Keeps `key`, 16 random bytes, at address 0 of `memory`. */
  constructor(memory: WebAssembly.Memory, key: Uint8Array) {
    new Uint8Array(memory.buffer).set(key.subarray(0, SIP_KEY_BYTES));
    const { exports } = new WebAssembly.Instance(compiled, { tidemark: { bytes: memory } });
    this.hash = (exports as { hash: (at: number, length: number) => number }).hash;
  }
}
