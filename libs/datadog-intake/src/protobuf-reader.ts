import { malformed } from './refusal.ts';

/** How a field is encoded: the low three bits of its tag. */
export const WIRE = { varint: 0, fixed64: 1, sized: 2, fixed32: 5 } as const;

/**
 * Reads fields of protobuf messages from hostile bytes, without copying. A nested message is read by the same reader:
 * `enter` narrows its end, `leave` widens it again.
 * https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufReader {
  readonly #bytes: Buffer;
  #position = 0;
  #end: number;
  #wire = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** Number of the next field of this message, 0 at its end. */
  next(): number {
    if (this.#position === this.#end) return 0;
    const tag = this.#varint();
    const field = Math.floor(tag / 8);
    if (field < 1 || field > 0x1fffffff) this.#fail('a field number out of range');
    this.#wire = tag % 8;
    return field;
  }

  /** Enters the message that is the value of this field; returns the end of the one around it, for `leave`. */
  enter(): number {
    const outer = this.#end;
    this.#end = this.#sizedEnd();
    return outer;
  }

  /** Back in the message around, after the one inside was read to its end. */
  leave(outer: number): void {
    this.#end = outer;
  }

  /** UTF-8; what isn't becomes U+FFFD, which names may not have. */
  text(): string {
    const to = this.#sizedEnd();
    const text = this.#bytes.toString('utf8', this.#position, to);
    this.#position = to;
    return text;
  }

  double(): number {
    this.#expect(WIRE.fixed64);
    const at = this.#position;
    this.#advance(8);
    return this.#bytes.readDoubleLE(at);
  }

  /** A signed integer of 64 bits, or NaN when it is beyond what a number holds exactly. */
  int64(): number {
    this.#expect(WIRE.varint);
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      const bits = byte & 0x7f;
      if (shift < 28) low += bits * 2 ** shift;
      else high += bits * 2 ** (shift - 28);
      if (byte < 0x80) return signed(low, high);
    }
    return this.#fail('a number of more than 10 bytes');
  }

  /** Passes over the value of a field that nobody asks for. */
  skip(): void {
    switch (this.#wire) {
      case WIRE.varint:
        this.int64();
        return;
      case WIRE.fixed64:
        this.#advance(8);
        return;
      case WIRE.sized:
        this.#position = this.#sizedEnd();
        return;
      case WIRE.fixed32:
        this.#advance(4);
        return;
      default:
        this.#fail(`a field of wire type ${this.#wire}`);
    }
  }

  #sizedEnd(): number {
    this.#expect(WIRE.sized);
    const size = this.#varint();
    if (size > this.#end - this.#position) this.#fail(`a length of ${size}, ${this.#end - this.#position} bytes left`);
    return this.#position + size;
  }

  #expect(wire: number): void {
    if (this.#wire !== wire) this.#fail(`a field of wire type ${this.#wire}, expected ${wire}`);
  }

  #advance(size: number): void {
    if (size > this.#end - this.#position) this.#fail(`${size} bytes wanted, ${this.#end - this.#position} left`);
    this.#position += size;
  }

  /** An unsigned integer of at most 32 bits: a tag or a length. */
  #varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 2 ** 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= 0xffff_ffff ? value : this.#fail('a tag or length beyond 32 bits');
    }
    return this.#fail('a tag or length of more than 5 bytes');
  }

  #byte(): number {
    if (this.#position === this.#end) this.#fail('ends within a number');
    return this.#bytes[this.#position++];
  }

  #fail(message: string): never {
    throw malformed('protobuf', `${message} at byte ${this.#position}`);
  }
}

/** Two's complement of 64 bits from the lower 28 and the upper 42 (of which 36 count). */
function signed(low: number, high: number): number {
  const upper = high % 2 ** 36;
  const value = (upper >= 2 ** 35 ? upper - 2 ** 36 : upper) * 2 ** 28 + low;
  return Number.isSafeInteger(value) ? value : Number.NaN;
}
