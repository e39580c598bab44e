import {
  type Appended,
  type Clock,
  type Log,
  type LogBounds,
  type LogRecord,
  type LogWriter,
  type Random,
  type ReadOptions,
  sleep,
  TidemarkError,
  type Topic,
} from '@tidemark/ports';

/** Probability of each fault per request, in [0, 1]. */
export interface LogFaultPlan {
  /** The request or its reply takes up to `maxDelayMs` longer. */
  readonly delay?: number;
  readonly maxDelayMs?: number;
  /** The request is executed, and answered with `unavailable`. */
  readonly dropReply?: number;
  /** The request is executed twice. */
  readonly duplicate?: number;
  /** The request is not executed, and answered with `unavailable`. */
  readonly refuse?: number;
  /** The append is not executed, and answered with `resource_exhausted`. */
  readonly full?: number;
}

export const LOG_FAULTS = ['delay', 'dropReply', 'duplicate', 'refuse', 'full'] as const;
export type LogFault = (typeof LOG_FAULTS)[number];

const DEFAULT_MAX_DELAY_MS = 2;

export interface FaultyLogOptions {
  readonly random: Random;
  readonly clock: Clock;
  readonly plan: LogFaultPlan;
}

/** A log with injected faults; `fired` counts each of them. */
export interface FaultyLog extends Log {
  readonly fired: Readonly<Record<LogFault, number>>;
}

export function faultyLog(log: Log, options: FaultyLogOptions): FaultyLog {
  return new FaultDecorator(log, options);
}

class FaultDecorator implements FaultyLog {
  readonly fired: Record<LogFault, number> = { delay: 0, dropReply: 0, duplicate: 0, refuse: 0, full: 0 };
  readonly #log: Log;
  readonly #options: FaultyLogOptions;

  constructor(log: Log, options: FaultyLogOptions) {
    this.#log = log;
    this.#options = options;
  }

  async writer(topic: Topic, partition: number): Promise<LogWriter> {
    const writer = await this.#log.writer(topic, partition);
    return { append: (sequence, value) => this.#append(writer, sequence, value) };
  }

  async #append(writer: LogWriter, sequence: number, value: Uint8Array): Promise<Appended> {
    await this.#delay();
    if (this.#fires('full')) throw new TidemarkError('resource_exhausted', 'injected: the log is full');
    this.#refuse();
    let appended = await writer.append(sequence, value);
    if (this.#fires('duplicate')) appended = await writer.append(sequence, value);
    await this.#delay();
    this.#dropReply();
    return appended;
  }

  async read(topic: Topic, partition: number, from: number, options: ReadOptions): Promise<LogRecord[]> {
    return this.#ask(() => this.#log.read(topic, partition, from, options));
  }

  async bounds(topic: Topic, partition: number): Promise<LogBounds> {
    return this.#ask(() => this.#log.bounds(topic, partition));
  }

  async trim(topic: Topic, partition: number, before: number): Promise<void> {
    return this.#ask(() => this.#log.trim(topic, partition, before));
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    await this.#delay();
    this.#refuse();
    let answer = await request();
    if (this.#fires('duplicate')) answer = await request();
    this.#dropReply();
    return answer;
  }

  #fires(fault: LogFault): boolean {
    const fires = this.#options.random.next() < (this.#options.plan[fault] ?? 0);
    if (fires) this.fired[fault]++;
    return fires;
  }

  async #delay(): Promise<void> {
    if (!this.#fires('delay')) return;
    const { clock, random, plan } = this.#options;
    await sleep(clock, random.next() * (plan.maxDelayMs ?? DEFAULT_MAX_DELAY_MS));
  }

  #refuse(): void {
    if (this.#fires('refuse')) throw new TidemarkError('unavailable', 'injected: refused');
  }

  #dropReply(): void {
    if (this.#fires('dropReply')) throw new TidemarkError('unavailable', 'injected: the reply was dropped');
  }
}
