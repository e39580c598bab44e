import {
  type Clock,
  isTidemarkError,
  type Log,
  type LogBounds,
  type LogRecord,
  sleep,
  TidemarkError,
  type Topic,
} from '@tidemark/ports';

/** What one store keeps of one partition: a function of the log's prefix. */
export interface ConsumedState {
  /** Where to read on: the first offset that is not applied yet. */
  readonly nextOffset: number;
  /** Everything below is durable here; a restart reads on from it. */
  readonly committedOffset: number;
  /**
   * Applies the record at `nextOffset` and moves on. Throws `data_loss` when it can't be decoded or one is missing;
   * nothing of it is then applied.
   */
  apply(record: LogRecord): void;
  /** True when the state wants to be committed, by a rule that depends on the log alone. */
  readonly wantsCommit: boolean;
  /** Makes all that was applied durable, with the offset, in one write. */
  commit(): Promise<void>;
  /** Passes the record at `nextOffset` without applying it, leaving a marked gap. */
  skip(reason: string): void;
}

export interface LogConsumerOptions {
  readonly log: Pick<Log, 'read' | 'bounds'>;
  readonly topic: Topic;
  readonly partition: number;
  readonly state: ConsumedState;
  readonly clock: Clock;
  /**
   * The reason to skip a record, when an operator decided so; from `control`. It is asked only for a record that halted
   * the partition: if it counted for others, too, then what a replica skips would depend on when it heard of it.
   */
  readonly skipReason: (offset: number) => string | undefined;
  /** Told when the partition halts, and with `undefined` when it goes on. */
  readonly onHalt?: (halt: Halt | undefined) => void;
  /** Told once: everything that the log had at some moment since the start is applied. */
  readonly onCaughtUp?: () => void;
  /** Told of an error of the log or disk when it first comes, and with `undefined` when it is over. A halt is none. */
  readonly onProblem?: (problem: ConsumerProblem | undefined) => void;
  /** Bytes asked of the log at a time; queries wait for as much to be applied. Default 1 MiB. */
  readonly readBytes?: number;
  /** How long one read waits for a record, ms. Default 500. */
  readonly readWaitMs?: number;
  /** How long to wait after an error of the log or disk, and between looks for a skip, ms. Default 250. */
  readonly retryMs?: number;
}

/** An error that is tried again. */
export interface ConsumerProblem {
  readonly error: TidemarkError;
  /** With the log, or with what the state is kept in. */
  readonly during: 'read' | 'commit';
}

/** Why a partition does not go on. */
export interface Halt {
  readonly offset: number;
  readonly error: TidemarkError;
  readonly cause: HaltCause;
}

/**
 * `record`: it can't be applied, and may be skipped. `log`: the log does not have it any more, or can't give it; reading
 * goes on once it does. `lost`: the log has less than was read, or another one has its name, so that whatever comes at
 * this offset is not what followed; nothing but a new start, of a state that goes with the log, mends that.
 */
export type HaltCause = 'record' | 'log' | 'lost';

const DEFAULT_READ_BYTES = 1024 * 1024;
const DEFAULT_READ_WAIT_MS = 500;
const DEFAULT_RETRY_MS = 250;
/**
 * A log counts as lost once it was found so this many times in a row: a broker that was replaced, or that lags, tells of
 * another end and of former topics for a while.
 */
const LOST_LOOKS = 20;
/** How often the log's end is asked for while nothing is read. */
const END_LOOK_MS = 1000;

/**
 * Reads one partition of the log into one state, for ever. An error of the log or the disk is retried. A record that
 * can't be decoded halts the partition, loudly, until an operator skips it; so does a log that doesn't have the offset
 * where the state ends, until it has.
 */
export class LogConsumer {
  readonly #options: LogConsumerOptions;
  readonly #stop = new AbortController();
  #halt: Halt | undefined;
  #lastError: TidemarkError | undefined;
  #during: ConsumerProblem['during'] = 'read';
  /** What `onProblem` was told of last. */
  #told: ConsumerProblem | undefined;
  #logNext = 0;
  #logId: string | undefined;
  #endLookedMs = Number.NEGATIVE_INFINITY;
  #hasCaughtUp = false;
  /** How often in a row the log was found not to be the one that the state is of. */
  #lostLooks = 0;
  #running: Promise<void> | undefined;

  constructor(options: LogConsumerOptions) {
    this.#options = options;
  }

  get halt(): Halt | undefined {
    return this.#halt;
  }

  /** The last error of the log or disk, gone once reading works again. */
  get lastError(): TidemarkError | undefined {
    return this.#lastError;
  }

  /** The log's end when it was last asked. */
  get logNext(): number {
    return Math.max(this.#logNext, this.#options.state.nextOffset);
  }

  /** What a replica's position says of its reading, in the words of the contract. */
  get position(): {
    readonly logNext: number;
    readonly logId: string | undefined;
    readonly halted: string;
    readonly haltedOffset: number;
    readonly problem: string;
  } {
    const halt = this.#halt;
    return {
      logNext: this.logNext,
      logId: this.#logId,
      halted: halt?.error.message ?? '',
      haltedOffset: halt?.cause === 'record' ? halt.offset : -1,
      problem: this.#lastError?.message ?? '',
    };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Stops after the record at hand, and commits; throws what the commit throws. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#options.state.commit();
  }

  async #run(): Promise<void> {
    const { clock, retryMs = DEFAULT_RETRY_MS } = this.#options;
    const signal = this.#stop.signal;
    while (!signal.aborted) {
      try {
        await this.#readOnce();
        this.#setProblem(undefined);
      } catch (error) {
        if (signal.aborted) return;
        if (!isTidemarkError(error)) throw error;
        this.#setProblem(error);
        await sleep(clock, retryMs, signal);
      }
    }
  }

  async #readOnce(): Promise<void> {
    const { log, topic, partition, state } = this.#options;
    this.#during = 'read';
    // A commit that failed is made up for before anything more is applied.
    if (state.wantsCommit) await this.#commit();
    if (this.#halt?.cause === 'record' && !(await this.#skipRecord())) return;
    if (this.#halt?.cause === 'lost') {
      await this.#lookAtEnd();
      throw this.#halt.error;
    }
    const records = await this.#read();
    for (const record of records) {
      if (this.#stop.signal.aborted) return;
      if (!this.#apply(record)) return;
      if (state.wantsCommit) await this.#commit();
    }
    this.#setEnd(await log.bounds(topic, partition));
    if (this.#hasCaughtUp || state.nextOffset < this.#logNext) return;
    this.#hasCaughtUp = true;
    this.#options.onCaughtUp?.();
  }

  async #read(): Promise<LogRecord[]> {
    const { log, topic, partition, state, readBytes, readWaitMs } = this.#options;
    try {
      const records = await log.read(topic, partition, state.nextOffset, {
        maxBytes: readBytes ?? DEFAULT_READ_BYTES,
        waitMs: readWaitMs ?? DEFAULT_READ_WAIT_MS,
        signal: this.#stop.signal,
      });
      this.#lostLooks = 0;
      if (this.#halt?.cause === 'log') this.#setHalt(undefined);
      return records;
    } catch (error) {
      if (isTidemarkError(error, 'data_loss')) {
        this.#setHalt({ offset: state.nextOffset, error, cause: this.#causeOf(error) });
      } else if (isTidemarkError(error, 'out_of_range')) this.#setHalt(await this.#missing(error));
      throw error;
    }
  }

  /** The log was trimmed beyond what the state has, or lost what it has. */
  async #missing(error: TidemarkError): Promise<Halt> {
    const { log, topic, partition, state } = this.#options;
    const bounds = await log.bounds(topic, partition);
    this.#setEnd(bounds);
    const { first, next } = bounds;
    const text = `the store of ${topic}/${partition} goes on at offset ${state.nextOffset}, the log has ${first} to ${next}`;
    const halt = new TidemarkError('out_of_range', text, { offset: state.nextOffset, first, next }, { cause: error });
    return { offset: state.nextOffset, error: halt, cause: state.nextOffset > next ? this.#lost() : 'log' };
  }

  /** Of a whole segment, or a topic that was made anew, there is no one record that could be skipped. */
  #causeOf({ detail }: TidemarkError): HaltCause {
    if ('topicId' in detail) return this.#lost();
    return 'segment' in detail ? 'log' : 'record';
  }

  #lost(): HaltCause {
    this.#lostLooks++;
    return this.#lostLooks < LOST_LOOKS ? 'log' : 'lost';
  }

  async #commit(): Promise<void> {
    this.#during = 'commit';
    try {
      await this.#options.state.commit();
      this.#during = 'read';
    } catch (error) {
      await this.#lookAtEnd();
      throw error;
    }
  }

  /** While a store can't go on its log grows: whoever asks is to see by how much. */
  async #lookAtEnd(): Promise<void> {
    const { log, topic, partition, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#endLookedMs < END_LOOK_MS) return;
    this.#endLookedMs = nowMs;
    try {
      this.#setEnd(await log.bounds(topic, partition));
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
    }
  }

  #setEnd({ next, id }: LogBounds): void {
    this.#logNext = next;
    this.#logId = id;
  }

  #apply(record: LogRecord): boolean {
    const { state } = this.#options;
    if (record.offset !== state.nextOffset) {
      throw new TidemarkError('internal', `the log gave offset ${record.offset}, asked for ${state.nextOffset}`);
    }
    try {
      state.apply(record);
      return true;
    } catch (error) {
      if (!isTidemarkError(error, 'data_loss')) throw error;
      this.#setHalt({ offset: record.offset, error, cause: 'record' });
      return false;
    }
  }

  /** Skips the record that halted the partition, or waits a while for the decision to. */
  async #skipRecord(): Promise<boolean> {
    const { state, clock, skipReason, retryMs = DEFAULT_RETRY_MS } = this.#options;
    const reason = skipReason(state.nextOffset);
    if (reason === undefined) {
      await this.#lookAtEnd();
      await sleep(clock, retryMs, this.#stop.signal);
      return false;
    }
    state.skip(reason);
    this.#setHalt(undefined);
    await this.#commit();
    return true;
  }

  #setProblem(error: TidemarkError | undefined): void {
    this.#lastError = error;
    const during = this.#during;
    // A halt is told by its own word, and an error that lasts once.
    const isHalt = this.#halt !== undefined && during === 'read';
    const problem = error === undefined || isHalt ? undefined : { error, during };
    if (this.#told?.error.code === problem?.error.code && this.#told?.during === problem?.during) return;
    this.#told = problem;
    this.#options.onProblem?.(problem);
  }

  #setHalt(halt: Halt | undefined): void {
    // A halt that lasts is told once.
    if (this.#halt?.offset === halt?.offset && this.#halt?.cause === halt?.cause) return;
    this.#halt = halt;
    this.#options.onHalt?.(halt);
  }
}
