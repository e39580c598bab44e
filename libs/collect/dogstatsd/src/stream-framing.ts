import type { Receiver } from './server.ts';
import type { DogStatsDLimits } from './statsd-limits.ts';

const NEWLINE = 0x0a;
const PREFIX_BYTES = 4;

/**
 * Cuts a byte stream into datagrams. Two framings are in use and are told apart by the first four bytes: Datadog's
 * clients put a 4-byte little-endian length before each datagram (`dogstatsd_stream_socket`), others (hot-shots among
 * them) send lines ended by newlines. Text holds no NUL, and a length under 16 MiB has one in its top byte.
 */
export class StreamFraming {
  readonly #receiver: Receiver;
  readonly #limits: DogStatsDLimits;
  #mode: 'unknown' | 'lengths' | 'lines' = 'unknown';
  /** The beginning of a datagram whose rest is still to come. */
  #pending: Buffer = Buffer.alloc(0);
  /** Within a line that is too long: all is skipped up to the next newline. */
  #skipping = false;
  #received = 0;

  constructor(receiver: Receiver, limits: DogStatsDLimits) {
    this.#receiver = receiver;
    this.#limits = limits;
  }

  /** Datagrams and lines passed on. */
  get received(): number {
    return this.#received;
  }

  get mode(): 'unknown' | 'lengths' | 'lines' {
    return this.#mode;
  }

  /** Takes what came; false when the stream can't be followed any more and its connection must be closed. */
  push(chunk: Uint8Array): boolean {
    const bytes = this.#pending.length === 0 ? asBuffer(chunk) : Buffer.concat([this.#pending, chunk]);
    if (this.#mode === 'unknown') {
      if (bytes.length < PREFIX_BYTES) {
        this.#pending = Buffer.from(bytes);
        return true;
      }
      this.#mode = bytes[PREFIX_BYTES - 1] === 0 ? 'lengths' : 'lines';
    }
    const used = this.#mode === 'lengths' ? this.#frames(bytes) : this.#lines(bytes);
    if (used < 0) return false;
    this.#pending = Buffer.from(bytes.subarray(used));
    return true;
  }

  /** The stream has ended: a last line without a newline still counts; a cut frame doesn't. */
  end(): void {
    const rest = this.#pending;
    this.#pending = Buffer.alloc(0);
    if (rest.length === 0 || this.#skipping) return;
    if (this.#mode === 'lengths') this.#receiver.refused('line_malformed');
    else this.#pass(rest, 0, rest.length);
  }

  #frames(bytes: Buffer): number {
    let at = 0;
    while (bytes.length - at >= PREFIX_BYTES) {
      const length = bytes.readUInt32LE(at);
      if (length > this.#limits.datagramBytes) {
        this.#receiver.refused('datagram_bytes_limit');
        return -1;
      }
      const from = at + PREFIX_BYTES;
      if (bytes.length - from < length) break;
      this.#pass(bytes, from, from + length);
      at = from + length;
    }
    return at;
  }

  #lines(bytes: Buffer): number {
    let at = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, at);
      if (end < 0) break;
      if (this.#skipping) this.#skipping = false;
      else if (end - at > this.#limits.lineBytes) this.#receiver.refused('line_bytes_limit');
      else this.#pass(bytes, at, end);
      at = end + 1;
    }
    if (this.#skipping) return bytes.length;
    if (bytes.length - at <= this.#limits.lineBytes) return at;
    this.#receiver.refused('line_bytes_limit');
    this.#skipping = true;
    return bytes.length;
  }

  #pass(bytes: Buffer, from: number, to: number): void {
    this.#received++;
    this.#receiver.parse(bytes, from, to);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
