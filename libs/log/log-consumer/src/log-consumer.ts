import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import {
  type Clock,
  isTidemarkError,
  type Log,
  type LogBounds,
  type LogRecord,
  ReusedMemory,
  sleep,
  TidemarkError,
  type Topic,
} from '@tidemark/ports';
import type { LogMemory } from './log-memory.ts';

/** State that a consumer keeps of one partition: a function of the log's prefix. */
export interface ConsumedState {
  /** The first offset that is not applied yet. Reading resumes there. */
  readonly nextOffset: number;
  /** All records below this offset are durable here. A restart resumes at it. */
  readonly committedOffset: number;
  /**
   * Applies the record at `nextOffset` and advances. Keeps no view of its value, whose memory is reused. Throws `data_loss`, and
   * applies no part of the record, when it cannot be decoded or an earlier one is missing. After any other TidemarkError, which
   * applies no part of it either, the record is applied again, behind a commit if one is due.
   */
  apply(record: LogRecord): void;
  /** True when a commit is due, by a rule that depends on the log alone. */
  readonly wantsCommit: boolean;
  /** Makes all applied records durable, with the offset, in one write. */
  commit(): Promise<void>;
  /**
   * Passes what halted the partition at `nextOffset`, and marks one gap for it: advances past `lost.records` records. A
   * state that would apply `lost.record` if records before it were not missing forgives those instead, and does not
   * advance: the record is applied next.
   */
  skip(reason: string, lost: LostRecords): void;
  /** Ends its background work. Only a commit follows. */
  stop?(): Promise<void>;
}

/** What a skip passes. */
export interface LostRecords {
  /** Number of records from `nextOffset` on that can't be read; 1 for one that was read and can't be applied. */
  readonly records: number;
  /** The record at `nextOffset`, if it was read. */
  readonly record?: LogRecord;
}

export interface LogConsumerOptions {
  readonly log: Pick<Log, 'read' | 'bounds'>;
  readonly topic: Topic;
  readonly partition: number;
  readonly state: ConsumedState;
  readonly clock: Clock;
  /**
   * Returns the reason to skip a record when an operator decided so, from `control`. It is called only for a record
   * that halted the partition: if other records counted too, the skips of a replica would depend on when it learned of
   * them.
   */
  readonly skipReason: (offset: number) => string | undefined;
  /** Called when the partition halts, and with `undefined` when it resumes. */
  readonly onHalt?: (halt: Halt | undefined) => void;
  /** Called once, when everything that the log had at some moment since the start is applied. */
  readonly onCaughtUp?: () => void;
  /** Called when an error of the log or disk begins, and with `undefined` when it ends. Halts are not reported here. */
  readonly onProblem?: (problem: ConsumerProblem | undefined) => void;
  /** What is known of the log that the state was read from; it is checked before the first read. */
  readonly memory?: LogMemory;
  /** The database that has the state, for what an operator reads when the log was trimmed above its end. */
  readonly database?: {
    readonly name: string;
    readonly folder: string;
    /** Known damage of it. */
    readonly damage: string | undefined;
  };
  /** Max bytes per read of the log. Queries wait until as many are applied. Default 1 MiB. */
  readonly readBytes?: number;
  /** Max wait of one read for a record, ms. Default 500. */
  readonly readWaitMs?: number;
  /**
   * Resolves after other work of this thread had its turn. It is called when records were applied for 20 ms: queries are answered, and
   * what the state does in the background proceeds, also while a log of hours is read back.
   */
  readonly yieldTurn?: () => Promise<void>;
  /** Delay after an error of the log or disk, and between checks for a skip, ms. Default 250. */
  readonly retryMs?: number;
}

/** An error that the consumer retries. */
export interface ConsumerProblem {
  readonly error: TidemarkError;
  /** `read` means the log, `commit` the storage of the state. */
  readonly during: 'read' | 'commit';
}

/** Why a partition is halted. */
export interface Halt {
  readonly offset: number;
  readonly error: TidemarkError;
  readonly cause: HaltCause;
}

/**
 * `record`: the record cannot be applied, and may be skipped. `trimmed`: the log begins above the end of the state, and what
 * is between may be skipped; reading resumes if the log has it again. `log`: the log no longer has the offset, or cannot return
 * it; reading resumes when it does. `lost`: the log has fewer records than were read, or another log has its name, so
 * that later records at this offset are not those that followed. Only a restart, with a state that belongs to the log,
 * ends a `lost` halt.
 */
export type HaltCause = 'record' | 'trimmed' | 'log' | 'lost';

const DEFAULT_READ_BYTES = 1024 * 1024;
const DEFAULT_READ_WAIT_MS = 500;
const DEFAULT_RETRY_MS = 250;
/** Time for which records are applied in one turn, ms. */
const APPLY_MS = 20;
/**
 * Number of consecutive checks after which a log counts as lost. A broker that was replaced, or that lags, reports
 * another end and former topics for a while.
 */
const LOST_CHECKS = 20;
/** How long a copy waits for records that the log has, ms, and how often it looks for them. */
const COPY_WAIT_MS = 10_000;
const COPY_POLL_MS = 20;
/** Interval between polls of the log's end while no records are read, ms. */
const END_POLL_MS = 1000;

/**
 * Reads one partition of the log into one state, forever. It retries errors of the log and the disk. A record that cannot
 * be decoded, or records that are lost, halt the partition, with a report, until an operator skips them. A log that lacks
 * the offset at which the state ends halts it until the log has that offset.
 */
export class LogConsumer {
  readonly #options: LogConsumerOptions;
  readonly #stop = new AbortController();
  readonly #memory = new ReusedMemory();
  #halt: Halt | undefined;
  /** What a skip of the halt passes. */
  #lost: LostRecords = { records: 1 };
  /** False until the log was found to be the one that the state was read from. */
  #isKnownLog = false;
  #lastError: TidemarkError | undefined;
  #during: ConsumerProblem['during'] = 'read';
  /** The last value that `onProblem` received. */
  #reported: ConsumerProblem | undefined;
  #logNext = 0;
  #logId: string | undefined;
  #endPolledMs = Number.NEGATIVE_INFINITY;
  #hasCaughtUp = false;
  /** Number of consecutive checks that found a log other than the one of the state. */
  #lostChecks = 0;
  #running: Promise<void> | undefined;
  /** Those that wait for a commit. */
  readonly #waiting: { resolve(): void; reject(error: unknown): void }[] = [];

  constructor(options: LogConsumerOptions) {
    this.#options = options;
  }

  get halt(): Halt | undefined {
    return this.#halt;
  }

  /** The last error of the log or disk. Undefined once reading works again. */
  get lastError(): TidemarkError | undefined {
    return this.#lastError;
  }

  /** End of the log at the last poll, or `nextOffset` if that is higher. */
  get logNext(): number {
    return Math.max(this.#logNext, this.#options.state.nextOffset);
  }

  /** Position of this reader, as the contract has it. */
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
      haltedOffset: halt?.cause === 'record' || halt?.cause === 'trimmed' ? halt.offset : -1,
      problem: this.#lastError?.message ?? '',
    };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Stops after the current record, then commits. Throws the errors of the commit. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    try {
      await this.#options.state.stop?.();
      await this.#save();
    } finally {
      for (const { reject } of this.#waiting.splice(0)) reject(new TidemarkError('cancelled', 'the consumer stops'));
    }
  }

  /**
   * Has the log up to its end now applied, within `COPY_WAIT_MS`, and what is applied committed, also when no commit is due. A
   * consumer that is halted commits what it has. Does nothing before the start. Throws the errors of the log and the commit.
   */
  async caughtUp(): Promise<void> {
    const { log, topic, partition, state, clock } = this.#options;
    if (this.#running === undefined) return;
    const { next } = await log.bounds(topic, partition);
    const untilMs = clock.monotonicMs() + COPY_WAIT_MS;
    while (state.nextOffset < next && this.#halt === undefined && clock.monotonicMs() < untilMs) {
      if (this.#stop.signal.aborted) break;
      await sleep(clock, COPY_POLL_MS, this.#stop.signal);
    }
    if (state.nextOffset === state.committedOffset) return;
    if (this.#stop.signal.aborted) throw new TidemarkError('cancelled', 'the consumer stops');
    await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
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
    const { log, topic, partition, state, clock, yieldTurn } = this.#options;
    this.#during = 'read';
    // A failed commit is repeated before more records are applied.
    if (state.wantsCommit || this.#waiting.length > 0) await this.#commit();
    if (this.#halt?.cause === 'record' && !(await this.#skipRecord())) return;
    if (this.#halt?.cause === 'trimmed' && this.#options.skipReason(state.nextOffset) !== undefined) {
      await this.#skipRecord();
    }
    if (this.#halt?.cause === 'lost') {
      await this.#pollEnd();
      throw this.#halt.error;
    }
    if (!this.#isKnownLog) await this.#checkLog();
    const records = await this.#read();
    let sinceMs = clock.monotonicMs();
    for (const record of records) {
      if (this.#stop.signal.aborted) return;
      if (!this.#apply(record)) return;
      this.#options.memory?.note(record);
      if (state.wantsCommit) await this.#commit();
      if (yieldTurn === undefined || clock.monotonicMs() - sinceMs < APPLY_MS) continue;
      await yieldTurn();
      sinceMs = clock.monotonicMs();
    }
    this.#setEnd(await log.bounds(topic, partition));
    if (this.#hasCaughtUp || state.nextOffset < this.#logNext) return;
    this.#hasCaughtUp = true;
    this.#options.onCaughtUp?.();
  }

  /** Halts for good when the log is not the one that the state was read from. */
  async #checkLog(): Promise<void> {
    const { log, topic, partition, state, memory } = this.#options;
    const difference = await memory?.difference(log, topic, partition, state.committedOffset);
    if (difference !== undefined) {
      this.#setHalt({ offset: state.nextOffset, error: difference, cause: 'lost' });
      throw difference;
    }
    this.#isKnownLog = true;
  }

  async #read(): Promise<LogRecord[]> {
    const { log, topic, partition, state, readBytes, readWaitMs } = this.#options;
    try {
      const records = await log.read(topic, partition, state.nextOffset, {
        maxBytes: readBytes ?? DEFAULT_READ_BYTES,
        waitMs: readWaitMs ?? DEFAULT_READ_WAIT_MS,
        signal: this.#stop.signal,
        memory: this.#memory,
      });
      this.#lostChecks = 0;
      if (this.#halt?.cause === 'log' || this.#halt?.cause === 'trimmed') this.#setHalt(undefined);
      return records;
    } catch (error) {
      if (isTidemarkError(error, 'data_loss')) {
        const { resumeAt } = error.detail;
        const records = typeof resumeAt === 'number' ? Math.max(1, resumeAt - state.nextOffset) : 1;
        this.#lost = { records };
        this.#setHalt({ offset: state.nextOffset, error, cause: this.#causeOf(error) });
      } else if (isTidemarkError(error, 'out_of_range')) this.#setHalt(await this.#missing(error));
      throw error;
    }
  }

  /** Builds the halt of a log that was trimmed above the state's end, or that lost records that the state has. */
  async #missing(error: TidemarkError): Promise<Halt> {
    const { log, topic, partition, state } = this.#options;
    const bounds = await log.bounds(topic, partition);
    this.#setEnd(bounds);
    const { first, next } = bounds;
    if (state.nextOffset < first) return this.#trimmed(bounds, error);
    const text = `the store of ${topic}/${partition} continues at offset ${state.nextOffset}, but the log begins at ${first} and ends at ${next}`;
    const halt = new TidemarkError('out_of_range', text, { offset: state.nextOffset, first, next }, { cause: error });
    return { offset: state.nextOffset, error: halt, cause: state.nextOffset > next ? this.#missed() : 'log' };
  }

  /**
   * Builds the halt of a state that ends before the log begins. The log is trimmed only below what the database of the state has,
   * so that is damaged, or an older copy.
   */
  #trimmed({ first, next }: LogBounds, cause: TidemarkError): Halt {
    const { topic, partition, database, state } = this.#options;
    const { nextOffset: offset } = state;
    this.#lost = { records: first - offset };
    const { name, folder, damage } = database ?? { name: `of ${topic}/${partition}`, folder: 'it' };
    const why = damage ?? 'files of it were cut, replaced or removed, or it is an older copy';
    const damaged = `database ${name} is damaged or incomplete: it ends at offset ${offset}, and the log, which begins at ${first}, was trimmed because it had more`;
    const advice = `Restore ${folder} from a copy that ends at ${first} or later, or pass what is lost: ${TIDEMARK_COMMAND} skip ${topic} ${partition} ${offset} --reason WHY`;
    const error = new TidemarkError('data_loss', `${damaged}; ${why}. ${advice}`, { offset, first, next }, { cause });
    return { offset, error, cause: 'trimmed' };
  }

  /** Returns the cause of a halt. A recreated topic has no record that could be skipped. */
  #causeOf({ detail }: TidemarkError): HaltCause {
    return 'topicId' in detail ? this.#missed() : 'record';
  }

  #missed(): HaltCause {
    this.#lostChecks++;
    return this.#lostChecks < LOST_CHECKS ? 'log' : 'lost';
  }

  async #commit(): Promise<void> {
    this.#during = 'commit';
    try {
      await this.#save();
      this.#during = 'read';
    } catch (error) {
      await this.#pollEnd();
      throw error;
    }
  }

  async #save(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    try {
      await this.#options.memory?.save();
      await this.#options.state.commit();
      for (const { resolve } of waiting) resolve();
    } catch (error) {
      for (const { reject } of waiting) reject(error);
      throw error;
    }
  }

  /** Polls the log's end while the store cannot continue, so that a status shows how far the store lags. */
  async #pollEnd(): Promise<void> {
    const { log, topic, partition, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#endPolledMs < END_POLL_MS) return;
    this.#endPolledMs = nowMs;
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
      throw new TidemarkError('internal', `the log returned offset ${record.offset}, expected ${state.nextOffset}`);
    }
    try {
      state.apply(record);
      return true;
    } catch (error) {
      if (!isTidemarkError(error, 'data_loss')) throw error;
      // The value is a view of memory that the next read reuses.
      this.#lost = { records: 1, record: { ...record, value: Uint8Array.from(record.value) } };
      this.#setHalt({ offset: record.offset, error, cause: 'record' });
      return false;
    }
  }

  /** Passes what halted the partition, or waits a while for the decision to skip it. */
  async #skipRecord(): Promise<boolean> {
    const { state, memory, clock, skipReason, retryMs = DEFAULT_RETRY_MS } = this.#options;
    const reason = skipReason(state.nextOffset);
    if (reason === undefined) {
      await this.#pollEnd();
      await sleep(clock, retryMs, this.#stop.signal);
      return false;
    }
    const { record } = this.#lost;
    state.skip(reason, this.#lost);
    // A record that was passed may be the last one that the state commits.
    if (record !== undefined && state.nextOffset > record.offset) memory?.note(record);
    this.#setHalt(undefined);
    await this.#commit();
    return true;
  }

  #setProblem(error: TidemarkError | undefined): void {
    this.#lastError = error;
    const during = this.#during;
    // `onHalt` reports a halt. An error that lasts is reported once.
    const isHalt = this.#halt !== undefined && during === 'read';
    const problem = error === undefined || isHalt ? undefined : { error, during };
    if (this.#reported?.error.code === problem?.error.code && this.#reported?.during === problem?.during) return;
    this.#reported = problem;
    this.#options.onProblem?.(problem);
  }

  #setHalt(halt: Halt | undefined): void {
    // A halt that lasts is reported once.
    if (this.#halt?.offset === halt?.offset && this.#halt?.cause === halt?.cause) return;
    this.#halt = halt;
    this.#options.onHalt?.(halt);
  }
}
