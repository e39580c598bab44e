/** Longest name that is put together from parts; a longer one is read as text each time. */
const GATHERED_BYTES = 16 * 1024;

/** The bytes that name a series: fields of its message as they came, without its points. */
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

  /** It was put together: with its sender, names stand on both sides of the points. */
  get isGathered(): boolean {
    return this.#view === this.#gatheredView && this.#length > 0;
  }

  /** 0 when there is no name. */
  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.set(this.#gatheredView, 0, 0);
  }

  /** A name that lies in one piece. */
  set(view: DataView, at: number, length: number): void {
    this.#view = view;
    this.#at = at;
    this.#length = length;
  }

  /** Adds the bytes [from, to) after `clear`; false when the name gets too long, and there is none then. */
  append(bytes: Buffer, from: number, to: number): boolean {
    if (this.#length + to - from > GATHERED_BYTES) {
      this.clear();
      return false;
    }
    this.#length += bytes.copy(this.#gathered, this.#length, from, to);
    return true;
  }
}
