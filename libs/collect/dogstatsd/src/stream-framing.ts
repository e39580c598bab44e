import type { Receiver } from './server.ts';
import type { DogStatsDLimits } from './statsd-limits.ts';

const NEWLINE = 0x0a;
const PREFIX_BYTES = 4;

/**
 * Splits a byte stream into datagrams. Clients use two framings, distinguished by the first four bytes: Datadog's
 * clients send a 4-byte little-endian length before each datagram (`dogstatsd_stream_socket`), others such as hot-shots
 * send lines that end with newlines. Text contains no NUL, and the top byte of a length under 16 MiB is NUL.
 */
export class StreamFraming {
  readonly #receiver: Receiver;
  readonly #limits: DogStatsDLimits;
  #mode: 'unknown' | 'lengths' | 'lines' = 'unknown';
  /** The beginning of an incomplete datagram. */
  #pending: Buffer = Buffer.alloc(0);
  /** True within a line over the limit: bytes are skipped up to the next newline. */
  #skipping = false;
  #received = 0;

  constructor(receiver: Receiver, limits: DogStatsDLimits) {
    this.#receiver = receiver;
    this.#limits = limits;
  }

  /** Datagrams and lines passed to the receiver. */
  get received(): number {
    return this.#received;
  }

  get mode(): 'unknown' | 'lengths' | 'lines' {
    return this.#mode;
  }

  /** Processes received bytes. Returns false when the framing is lost and the connection must be closed. */
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

  /** Ends the stream. A last line without a newline is passed on; a cut frame is refused. */
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
