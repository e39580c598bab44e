import { type Appended, assert, type Clock, isTidemarkError, type Log, SettlingWriter, sleep } from '@tidemark/ports';
import { type ControlMessage, decodeControl, encodeControl } from './control-record.ts';
import { ControlState } from './control-state.ts';

const READ_BYTES = 1024 * 1024;
const READ_WAIT_MS = 1000;
const RETRY_MS = 200;

/** Follows the `control` log into a ControlState and tells its listeners of each record, in order. */
export class ControlFollower {
  readonly state = new ControlState();
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<(message: ControlMessage, offset: number) => void>();
  #running: Promise<void> | undefined;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Calls `listener` after each record was applied; the answer stops it. */
  listen(listener: (message: ControlMessage, offset: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads all there is, then goes on in the background. */
  async start(): Promise<void> {
    assert(this.#running === undefined, 'started once');
    const { first, next } = await this.#log.bounds('control', 0);
    this.state.nextOffset = Math.max(this.state.nextOffset, first);
    while (this.state.nextOffset < next) await this.#readOnce(0);
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Resolves once the record at `offset` was applied. */
  reached(offset: number): Promise<void> {
    if (this.state.nextOffset > offset) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.listen((_, seen) => {
        if (seen < offset) return;
        stop();
        resolve();
      });
    });
  }

  async #run(): Promise<void> {
    const signal = this.#stop.signal;
    while (!signal.aborted) {
      try {
        await this.#readOnce(READ_WAIT_MS);
      } catch (error) {
        if (signal.aborted) return;
        if (!isTidemarkError(error)) throw error;
        await sleep(this.#clock, RETRY_MS, signal);
      }
    }
  }

  async #readOnce(waitMs: number): Promise<void> {
    const options = { maxBytes: READ_BYTES, waitMs, signal: this.#stop.signal };
    for (const record of await this.#log.read('control', 0, this.state.nextOffset, options)) {
      const message = decodeControl(record.value);
      this.state.apply(message, record.offset, record.appendTimeMs);
      for (const listener of [...this.#listeners]) listener(message, record.offset);
    }
  }
}

/** Appends to the `control` log, one record at a time, settling unknown outcomes by repeating. */
export class ControlWriter {
  readonly #writer: SettlingWriter;

  constructor(log: Log, clock: Clock) {
    this.#writer = new SettlingWriter(log, 'control', 0, clock);
  }

  /** Resolves once durable. Gives up when `signal` aborts, with the last error; the outcome is then unknown. */
  append(message: ControlMessage, signal?: AbortSignal): Promise<Appended> {
    return this.#writer.append(encodeControl(message), signal);
  }
}
