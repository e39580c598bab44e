import {
  type Appended,
  assert,
  type Clock,
  isTidemarkError,
  type Log,
  type LogRecord,
  SettlingWriter,
  sleep,
  TidemarkError,
} from '@tidemark/ports';
import { type ControlMessage, decodeControl, encodeControl } from './control-record.ts';
import { ControlState } from './control-state.ts';

const READ_BYTES = 1024 * 1024;
const READ_WAIT_MS = 1000;
const RETRY_MS = 200;

interface Waiter {
  readonly offset: number;
  readonly resolve: () => void;
  readonly reject: (error: TidemarkError) => void;
}

/** Follows the `control` log into a ControlState and tells its listeners of each record, in order. */
export class ControlFollower {
  readonly state = new ControlState();
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<(message: ControlMessage, offset: number) => void>();
  readonly #waiters = new Set<Waiter>();
  #running: Promise<void> | undefined;
  #isOver = false;
  #problem: string | undefined;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** What keeps it from reading on, for status: a damaged record, or a log that is away; undefined when nothing does. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /**
   * Calls `listener` after each record was applied; the answer stops it. After a `checkpoint` anything may have
   * changed: records that were trimmed before they were read are told of by it alone.
   */
  listen(listener: (message: ControlMessage, offset: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Reads all there is, then goes on in the background. Errors: `data_loss` (a damaged record, or the oldest are gone
   * and no checkpoint is left), the log's.
   */
  async start(): Promise<void> {
    assert(this.#running === undefined, 'started once');
    const { first, next } = await this.#log.bounds('control', 0);
    this.state.beginAt(first);
    while (this.state.nextOffset < next) await this.#readOnce(0);
    if (!this.state.isWhole) {
      throw new TidemarkError('data_loss', `control/0 begins at offset ${first} and holds no checkpoint: ${REMEDY}`);
    }
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#end();
  }

  /** Resolves once the record at `offset` was applied; `unavailable` when the follower stops, or `signal` aborts, first. */
  reached(offset: number, signal?: AbortSignal): Promise<void> {
    if (this.state.nextOffset > offset) return Promise.resolve();
    if (this.#isOver || signal?.aborted) return Promise.reject(notReached(offset));
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => () => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', abort);
        settle();
      };
      const abort = done(() => reject(notReached(offset)));
      const waiter: Waiter = { offset, resolve: done(resolve), reject: abort };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  async #run(): Promise<void> {
    const signal = this.#stop.signal;
    try {
      while (!signal.aborted) {
        try {
          await this.#readOnce(READ_WAIT_MS);
          this.#problem = undefined;
        } catch (error) {
          if (signal.aborted) return;
          if (!isTidemarkError(error)) throw error;
          this.#problem = error.message;
          await sleep(this.#clock, RETRY_MS, signal);
        }
      }
    } finally {
      this.#end();
    }
  }

  #end(): void {
    this.#isOver = true;
    for (const { offset, reject } of [...this.#waiters]) reject(notReached(offset));
  }

  async #readOnce(waitMs: number): Promise<void> {
    const options = { maxBytes: READ_BYTES, waitMs, signal: this.#stop.signal };
    let records: readonly LogRecord[];
    try {
      records = await this.#log.read('control', 0, this.state.nextOffset, options);
    } catch (error) {
      if (isTidemarkError(error, 'data_loss')) throw damaged(this.state.nextOffset, error);
      if (!isTidemarkError(error, 'out_of_range')) throw error;
      // What it was to read next was trimmed meanwhile; a checkpoint says the same.
      const { first } = await this.#log.bounds('control', 0);
      if (this.state.nextOffset >= first) throw error;
      this.state.beginAt(first);
      return;
    }
    for (const record of records) this.#apply(record);
  }

  #apply({ value, offset, appendTimeMs }: LogRecord): void {
    let message: ControlMessage;
    try {
      message = decodeControl(value);
      if (!this.state.apply(message, offset, appendTimeMs)) return;
    } catch (error) {
      throw isTidemarkError(error, 'data_loss') ? damaged(offset, error) : error;
    }
    for (const listener of [...this.#listeners]) listener(message, offset);
    for (const waiter of [...this.#waiters]) if (waiter.offset <= offset) waiter.resolve();
  }
}

const REMEDY = 'restore the data folder from a backup, or begin with an empty one';

function damaged(offset: number, error: TidemarkError): TidemarkError {
  const message = `control/0: the record at offset ${offset} can't be read (${error.message}): ${REMEDY}`;
  return new TidemarkError('data_loss', message, { ...error.detail, topic: 'control', partition: 0, offset });
}

function notReached(offset: number): TidemarkError {
  return new TidemarkError('unavailable', `control was not read up to offset ${offset}: the reader stopped`);
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
