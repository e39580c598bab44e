const HEAD_WORDS = 3;
const BUSY = 0;
const RUNS = 1;
const LENGTH = 2;
const HEAD_BYTES = HEAD_WORDS * 4;

/**
 * The input that a thread runs, in memory that another thread reads: so an input that never ends, or that ends the
 * thread, is known.
 */
export class RunningInput {
  readonly shared: SharedArrayBuffer;
  readonly #head: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#head = new Int32Array(shared, 0, HEAD_WORDS);
    this.#bytes = new Uint8Array(shared, HEAD_BYTES);
  }

  static ofSize(bytes: number): RunningInput {
    return new RunningInput(new SharedArrayBuffer(HEAD_BYTES + bytes));
  }

  begin(input: Uint8Array): void {
    const length = Math.min(input.length, this.#bytes.length);
    this.#bytes.set(input.subarray(0, length));
    this.#head[LENGTH] = length;
    Atomics.add(this.#head, RUNS, 1);
    Atomics.store(this.#head, BUSY, 1);
  }

  end(): void {
    Atomics.store(this.#head, BUSY, 0);
  }

  /** Number of the run that has not ended; undefined between two runs. */
  get run(): number | undefined {
    return Atomics.load(this.#head, BUSY) === 1 ? Atomics.load(this.#head, RUNS) : undefined;
  }

  /** A copy of the last input. */
  get input(): Buffer {
    return Buffer.from(this.#bytes.slice(0, this.#head[LENGTH]));
  }
}
