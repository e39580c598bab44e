import {
  type Appended,
  assert,
  type Clock,
  isMovedError,
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

/** Follows the `control` log into a ControlState and reports each record to its listeners, in order. */
export class ControlFollower {
  readonly state = new ControlState();
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<(message: ControlMessage, offset: number) => void>();
  readonly #waiters = new Set<Waiter>();
  #running: Promise<void> | undefined;
  #hasEnded = false;
  #problem: string | undefined;
  #previousCheckpoint = -1;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Why the follower cannot read, for status: a damaged record or an unreachable log. Undefined while it can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /**
   * Offset of the checkpoint that counted before the last one, or -1. Records before it are not needed, even if the last
   * one is lost.
   */
  get previousCheckpointOffset(): number {
    return this.#previousCheckpoint;
  }

  /**
   * Calls `listener` after each applied record; the returned function ends that. A `checkpoint` may have changed
   * anything: it is the only report of records that were trimmed before they were read.
   */
  listen(listener: (message: ControlMessage, offset: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Reads all existing records, then continues in the background. Records that the log has lost are passed, and listed in
   * `state.lost`. Throws `data_loss` when a record is not of this format, or when the oldest records are gone and no
   * checkpoint is left. Passes on errors of the log.
   */
  async start(): Promise<void> {
    assert(this.#running === undefined, 'start is called once');
    const { first, next } = await this.#log.bounds('control', 0);
    this.state.beginAt(first);
    while (this.state.nextOffset < next) await this.#readOnce(0);
    if (!this.state.isWhole) {
      throw new TidemarkError('data_loss', `control/0 begins at offset ${first} and has no checkpoint: ${REMEDY}`);
    }
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#end();
  }

  /**
   * Resolves after the record at `offset` was applied. Throws `unavailable` when the follower stops or `signal` aborts
   * first.
   */
  reached(offset: number, signal?: AbortSignal): Promise<void> {
    if (this.state.nextOffset > offset) return Promise.resolve();
    if (this.#hasEnded || signal?.aborted) return Promise.reject(notReached(offset));
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
    this.#hasEnded = true;
    for (const { offset, reject } of [...this.#waiters]) reject(notReached(offset));
  }

  async #readOnce(waitMs: number): Promise<void> {
    const options = { maxBytes: READ_BYTES, waitMs, signal: this.#stop.signal };
    let records: readonly LogRecord[];
    try {
      records = await this.#log.read('control', 0, this.state.nextOffset, options);
    } catch (error) {
      if (isTidemarkError(error, 'data_loss')) return this.#lose(error);
      if (!isTidemarkError(error, 'out_of_range')) throw error;
      // The next record was trimmed meanwhile. A checkpoint has its content.
      const { first } = await this.#log.bounds('control', 0);
      if (this.state.nextOffset >= first) throw error;
      this.state.beginAt(first);
      return;
    }
    for (const record of records) this.#apply(record);
  }

  /** Passes records that the log has lost, if it says where it continues: it will not return them later. */
  #lose(error: TidemarkError): void {
    const { state } = this;
    const { resumeAt } = error.detail;
    if (typeof resumeAt !== 'number' || resumeAt <= state.nextOffset) throw damaged(state.nextOffset, error);
    state.lose(resumeAt - state.nextOffset, error.message);
    this.#settle();
  }

  #settle(): void {
    for (const waiter of [...this.#waiters]) if (waiter.offset < this.state.nextOffset) waiter.resolve();
  }

  #apply({ value, offset, appendTimeMs }: LogRecord): void {
    let message: ControlMessage;
    const { checkpointOffset } = this.state;
    try {
      message = decodeControl(value);
      if (!this.state.apply(message, offset, appendTimeMs)) return;
    } catch (error) {
      throw isTidemarkError(error, 'data_loss') ? damaged(offset, error) : error;
    }
    if (this.state.checkpointOffset !== checkpointOffset) this.#previousCheckpoint = checkpointOffset;
    for (const listener of [...this.#listeners]) listener(message, offset);
    this.#settle();
  }
}

const REMEDY = 'restore the data folder from a backup, or start with an empty one';

function damaged(offset: number, error: TidemarkError): TidemarkError {
  const message = `control/0: the record at offset ${offset} can't be read (${error.message}): ${REMEDY}`;
  return new TidemarkError('data_loss', message, { ...error.detail, topic: 'control', partition: 0, offset });
}

function notReached(offset: number): TidemarkError {
  return new TidemarkError(
    'unavailable',
    `control was not read up to offset ${offset}: the reader stopped; retry later`,
  );
}

/** Appends to the `control` log, one record at a time. Repeats an append whose outcome is unknown. */
export class ControlWriter {
  readonly #writer: SettlingWriter;

  constructor(log: Log, clock: Clock) {
    this.#writer = new SettlingWriter(log, 'control', 0, clock);
  }

  /** The last error of an append that is being repeated; undefined without one. */
  get repeated(): TidemarkError | undefined {
    return this.#writer.repeated;
  }

  /** Resolves once the record is durable. Throws the last error when `signal` aborts; the outcome is then unknown. */
  append(message: ControlMessage, signal?: AbortSignal): Promise<Appended> {
    return this.#writer.append(encodeControl(message), signal);
  }

  /**
   * As `append`, for a caller that waits for the answer. Throws at once, and does not repeat the append, while the folder of
   * the log is moved: that lasts until a person moves it back.
   */
  async appendForCaller(message: ControlMessage, signal: AbortSignal): Promise<Appended> {
    const { repeated } = this.#writer;
    if (repeated !== undefined && isMovedError(repeated)) throw repeated;
    return this.#writer.append(encodeControl(message), signal, isMovedError);
  }
}
