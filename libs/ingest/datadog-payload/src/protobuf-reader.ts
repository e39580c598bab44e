import { utf8Text } from '@tidemark/bytes';
import { assert } from '@tidemark/ports';
import { malformed } from './request-refusal.ts';

/** Encodings of a field: the low three bits of its tag. */
export const WIRE = { varint: 0, fixed64: 1, sized: 2, fixed32: 5 } as const;

/**
 * Reads fields of protobuf messages (https://protobuf.dev/programming-guides/encoding/) from hostile bytes, without
 * copying. The same reader reads a nested message: `enter` narrows its end, `leave` widens it again.
 */
export class ProtobufReader {
  /** All bytes of the message. */
  readonly bytes: Buffer;
  /** View of `bytes`. */
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

  /** Position of the next field within the current message. */
  get position(): number {
    return this.#position;
  }

  set position(position: number) {
    assert(position <= this.#end, 'the position is within the message');
    this.#position = position;
  }

  /** End of the current message. */
  get end(): number {
    return this.#end;
  }

  /** Reads the tag of the next field of this message and returns its number, 0 at the end. */
  next(): number {
    if (this.#position === this.#end) return 0;
    const tag = this.#varint();
    const field = Math.floor(tag / 8);
    if (field < 1 || field > 0x1fffffff) this.#fail('field number out of range');
    this.#wire = tag % 8;
    return field;
  }

  /** Enters the message that is the value of this field. Returns the end of the outer message, for `leave`. */
  enter(): number {
    const outer = this.#end;
    this.#end = this.#sizedEnd();
    return outer;
  }

  /** Returns to the outer message, after the inner one was read to its end. */
  leave(outer: number): void {
    this.#end = outer;
  }

  /** Reads UTF-8. Bytes that are not UTF-8 give a text that every name and tag is refused for. */
  text(): string {
    const to = this.#sizedEnd();
    const text = utf8Text(this.bytes.subarray(this.#position, to));
    this.#position = to;
    return text;
  }

  double(): number {
    this.#expect(WIRE.fixed64);
    const at = this.#position;
    this.#advance(8);
    return this.bytes.readDoubleLE(at);
  }

  /** Reads a signed integer of 64 bits. Returns NaN for a value that a number cannot represent exactly. */
  int64(): number {
    this.#expect(WIRE.varint);
    const low = this.#bits28();
    if (this.#isLastByte) return low;
    const middle = this.#bits28();
    if (this.#isLastByte) return exact(0, middle, low);
    const top = this.#byte();
    if (top < 0x80) return exact(top, middle, low);
    const last = this.#byte();
    if (last >= 0x80) this.#fail('number of more than 10 bytes');
    // The tenth byte has only one bit left, the sign.
    return exact((top & 0x7f) | ((last & 1) << 7), middle, low);
  }

  /** Reads one integer, or a packed list of them. Each is NaN if a number cannot represent it exactly. */
  integers(each: (value: number) => void): void {
    if (this.#wire !== WIRE.sized) {
      each(this.int64());
      return;
    }
    const outer = this.enter();
    this.#wire = WIRE.varint;
    while (this.#position < this.#end) each(this.int64());
    this.leave(outer);
  }

  /**
   * Reads the next 28 bits of a number, from four bytes, or fewer if it ends before them: then `#isLastByte` is true.
   */
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

  /** Skips the value of an unused field. */
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
        this.#fail(`unsupported wire type ${this.#wire}`);
    }
  }

  #sizedEnd(): number {
    this.#expect(WIRE.sized);
    const size = this.#varint();
    if (size > this.#end - this.#position)
      this.#fail(`length ${size}, but ${this.#end - this.#position} bytes are left`);
    return this.#position + size;
  }

  #expect(wire: number): void {
    if (this.#wire !== wire) this.#fail(`wire type ${this.#wire}, expected ${wire}`);
  }

  #advance(size: number): void {
    if (size > this.#end - this.#position)
      this.#fail(`${size} bytes needed, but ${this.#end - this.#position} are left`);
    this.#position += size;
  }

  /** Reads an unsigned integer of at most 32 bits: a tag or a length. */
  #varint(): number {
    const low = this.#bits28();
    if (this.#isLastByte) return low;
    const top = this.#byte();
    return top < 0x10 ? top * 2 ** 28 + low : this.#fail('tag or length of more than 32 bits');
  }

  #byte(): number {
    if (this.#position === this.#end) this.#fail('the message ends within a number');
    return this.bytes[this.#position++];
  }

  #fail(message: string): never {
    throw malformed('protobuf', `${message} at byte ${this.#position}`);
  }
}

/**
 * Combines the two's complement of 64 bits from the upper 8 bits and two times 28. Returns NaN when a number cannot
 * represent it exactly.
 */
function exact(top: number, middle: number, low: number): number {
  const value = (top >= 0x80 ? top - 0x100 : top) * 2 ** 56 + middle * 2 ** 28 + low;
  return Number.isSafeInteger(value) ? value : Number.NaN;
}
