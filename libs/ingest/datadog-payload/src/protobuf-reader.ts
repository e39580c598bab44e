import { assert } from '@tidemark/ports';
import { malformed } from './refusal.ts';

/** How a field is encoded: the low three bits of its tag. */
export const WIRE = { varint: 0, fixed64: 1, sized: 2, fixed32: 5 } as const;

/**
 * Reads fields of protobuf messages from hostile bytes, without copying. A nested message is read by the same reader:
 * `enter` narrows its end, `leave` widens it again.
 * https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufReader {
  /** All of the bytes. */
  readonly bytes: Buffer;
  /** The same. */
  readonly view: DataView;
  #position = 0;
  #end: number;
  #wire = 0;
  #isLastByte = false;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#end = bytes.length;
  }

  /** Where the next field begins, within the message that is read. */
  get position(): number {
    return this.#position;
  }

  set position(position: number) {
    assert(position <= this.#end, 'a position within the message');
    this.#position = position;
  }

  /** Where this message ends. */
  get end(): number {
    return this.#end;
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
    const text = this.bytes.toString('utf8', this.#position, to);
    this.#position = to;
    return text;
  }

  double(): number {
    this.#expect(WIRE.fixed64);
    const at = this.#position;
    this.#advance(8);
    return this.bytes.readDoubleLE(at);
  }

  /** A signed integer of 64 bits, or NaN when it is beyond what a number holds exactly. */
  int64(): number {
    this.#expect(WIRE.varint);
    const low = this.#bits28();
    if (this.#isLastByte) return low;
    const middle = this.#bits28();
    if (this.#isLastByte) return exact(0, middle, low);
    const top = this.#byte();
    if (top < 0x80) return exact(top, middle, low);
    const last = this.#byte();
    if (last >= 0x80) this.#fail('a number of more than 10 bytes');
    // Of the tenth byte only one bit is left, the sign.
    return exact((top & 0x7f) | ((last & 1) << 7), middle, low);
  }

  /** The next 28 bits of a number, from four bytes, or fewer if it ends before: `#isLastByte` says so. */
  #bits28(): number {
    let bits = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      bits |= (byte & 0x7f) << shift;
      this.#isLastByte = byte < 0x80;
      if (this.#isLastByte) break;
    }
    return bits;
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
    const low = this.#bits28();
    if (this.#isLastByte) return low;
    const top = this.#byte();
    return top < 0x10 ? top * 2 ** 28 + low : this.#fail('a tag or length beyond 32 bits');
  }

  #byte(): number {
    if (this.#position === this.#end) this.#fail('ends within a number');
    return this.bytes[this.#position++];
  }

  #fail(message: string): never {
    throw malformed('protobuf', `${message} at byte ${this.#position}`);
  }
}

/** Two's complement of 64 bits from the upper 8 and two times 28; NaN when a number can't hold it exactly. */
function exact(top: number, middle: number, low: number): number {
  const value = (top >= 0x80 ? top - 0x100 : top) * 2 ** 56 + middle * 2 ** 28 + low;
  return Number.isSafeInteger(value) ? value : Number.NaN;
}
