/** Max bytes of a name that is gathered from parts. A longer name is decoded as text each time. */
const GATHERED_BYTES = 16 * 1024;

/** The bytes that name a series: the received fields of its message, without its points. */
export class NameBytes {
  readonly #gathered = Buffer.alloc(GATHERED_BYTES);
  readonly #gatheredView = new DataView(this.#gathered.buffer, this.#gathered.byteOffset, GATHERED_BYTES);
  #view: DataView = this.#gatheredView;
  #at = 0;
  #length = 0;

  get view(): DataView {
    return this.#view;
  }

  get at(): number {
    return this.#at;
  }

  /** True when the name was gathered from parts. Its sender writes fields of the name on both sides of the points. */
  get isGathered(): boolean {
    return this.#view === this.#gatheredView && this.#length > 0;
  }

  /** Length of the name; 0 when there is none. */
  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.set(this.#gatheredView, 0, 0);
  }

  /** Sets a name that is contiguous. */
  set(view: DataView, at: number, length: number): void {
    this.#view = view;
    this.#at = at;
    this.#length = length;
  }

  /** Adds the bytes [from, to) after `clear`. Returns false, and has no name, when the name gets too long. */
  append(bytes: Buffer, from: number, to: number): boolean {
    if (this.#length + to - from > GATHERED_BYTES) {
      this.clear();
      return false;
    }
    this.#length += bytes.copy(this.#gathered, this.#length, from, to);
    return true;
  }
}
