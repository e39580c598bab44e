import { type Clock, sleep } from './clock.ts';
import { isTidemarkError, type TidemarkError } from './error.ts';
import type { Appended, Log, LogWriter, Topic } from './log.ts';

const RETRY_MS = 100;
/** Pause between attempts while the log is full. */
const FULL_RETRY_MS = 1000;

/** Returns true to end an append with an error, given whether an attempt may have stored the value. */
export type IsFinal = (error: TidemarkError, mayBeStored: boolean) => boolean;

/**
 * Appends records of one producer in order, one outstanding at a time, and settles unknown outcomes by repeats with
 * the same sequence. It is a decorator over `LogWriter`: no other code repeats an append.
 */
export class SettlingWriter {
  readonly #log: Log;
  readonly #topic: Topic;
  readonly #partition: number;
  readonly #clock: Clock;
  #writer: LogWriter | undefined;
  #sequence = 0;
  #problem: TidemarkError | undefined;
  #repeated: TidemarkError | undefined;
  #notStoredMs = Number.NEGATIVE_INFINITY;
  #isResting = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(log: Log, topic: Topic, partition: number, clock: Clock) {
    this.#log = log;
    this.#topic = topic;
    this.#partition = partition;
    this.#clock = clock;
  }

  /**
   * Why the last append is not stored yet, or was not stored; undefined when there was no error, or when its caller has the
   * error and the full log stored nothing.
   */
  get problem(): TidemarkError | undefined {
    return this.#problem;
  }

  /** Why the outstanding append is repeated; undefined when none is. */
  get repeated(): TidemarkError | undefined {
    return this.#repeated;
  }

  /**
   * The latest time, monotonic ms, at which it was certain that no attempt had stored the outstanding record, because
   * the log is full: the current time while no attempt is in flight.
   */
  get notStoredMs(): number {
    return this.#isResting ? this.#clock.monotonicMs() : this.#notStoredMs;
  }

  /**
   * Appends a value; resolves once it is durable. Throws `invalid_argument` when the value is too large for the log: it
   * is not stored, and a smaller one may follow. Throws the last error when it cannot be repeated (`failed_precondition`)
   * or `signal` aborted, or where `isFinal` holds for it and for whether an attempt may have stored the value. If one may,
   * a later append uses a new producer.
   */
  append(value: Uint8Array, signal?: AbortSignal, isFinal: IsFinal = () => false): Promise<Appended> {
    const result = this.#last.then(() => this.#settle(value, signal, isFinal));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #settle(value: Uint8Array, signal: AbortSignal | undefined, isFinal: IsFinal): Promise<Appended> {
    let retryMs = RETRY_MS;
    let isUnknown = false;
    for (;;) {
      try {
        this.#writer ??= await this.#log.writer(this.#topic, this.#partition);
        const appended = await this.#writer.append(this.#sequence, value);
        this.#sequence++;
        this.#problem = undefined;
        this.#repeated = undefined;
        return appended;
      } catch (error) {
        if (isTidemarkError(error)) this.#problem = error;
        if (isTidemarkError(error, 'invalid_argument')) throw error;
        const isFull = isTidemarkError(error, 'resource_exhausted');
        isUnknown ||= !isFull;
        const final = !isTidemarkError(error) || error.code === 'failed_precondition' || isFinal(error, isUnknown);
        if (final || signal?.aborted) {
          this.#repeated = undefined;
          if (isUnknown) {
            this.#writer = undefined;
            this.#sequence = 0;
          } else this.#problem = undefined;
          throw error;
        }
        this.#repeated = error;
        this.#isResting = !isUnknown;
        await sleep(this.#clock, retryMs, signal);
        if (!isUnknown) this.#notStoredMs = this.#clock.monotonicMs();
        this.#isResting = false;
        retryMs = isFull ? Math.min(FULL_RETRY_MS, retryMs * 2) : RETRY_MS;
      }
    }
  }
}
