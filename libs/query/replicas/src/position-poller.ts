import type { PositionsReply } from '@tidemark/contract';
import { type Clock, isTidemarkError, Slots, sleep, TidemarkError } from '@tidemark/ports';
import type { PositionsReader } from '@tidemark/store-rpc';
import type { ReplicaLimits } from './replica-limits.ts';
import type { StoreProcess } from './store-process.ts';
import { withinTime } from './within-time.ts';

type PollLimits = Pick<ReplicaLimits, 'pollMs' | 'pollsPerSecond' | 'pollTimeoutMs' | 'concurrentPolls'>;

/**
 * Polls every process for the positions of all its replicas, with one call per process for any number of partitions. A
 * process that does not answer in time is lost until it does.
 */
export class PositionPoller<Process extends StoreProcess<PositionsReader>> {
  readonly #processes: readonly Process[];
  readonly #clock: Clock;
  readonly #limits: PollLimits;
  readonly #onPositions: (process: Process, hasMoved: boolean) => void;
  readonly #slots: Slots;
  /** Lost processes occupy their slots for long, so they have slots of their own. */
  readonly #lostSlots: Slots;
  readonly #stop = new AbortController();
  /** Ends the pause of a process between two polls. */
  readonly #pauses = new Map<Process, AbortController>();
  #running: Promise<unknown> | undefined;

  constructor(options: {
    readonly processes: readonly Process[];
    readonly clock: Clock;
    readonly limits: PollLimits;
    /** Called after each successful poll; `hasMoved` when the positions are of other partitions than before. */
    readonly onPositions?: (process: Process, hasMoved: boolean) => void;
  }) {
    this.#processes = options.processes;
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.#onPositions = options.onPositions ?? (() => {});
    this.#slots = new Slots(options.limits.concurrentPolls);
    this.#lostSlots = new Slots(options.limits.concurrentPolls);
  }

  /** Starts to poll; resolves when every process has been polled once. */
  async start(): Promise<void> {
    const first = Promise.all(this.#processes.map((process) => this.#poll(process)));
    this.#running ??= first.then(() => Promise.all(this.#processes.map((process) => this.#pollOn(process))));
    await first;
  }

  async stop(): Promise<void> {
    this.#stop.abort(new TidemarkError('cancelled', 'the polling of positions has stopped'));
    for (const pause of this.#pauses.values()) pause.abort();
    await this.#running;
  }

  /** Polls a process at once, because its known state may be wrong. */
  hurry(process: Process): void {
    this.#pauses.get(process)?.abort();
  }

  async #pollOn(process: Process): Promise<void> {
    const { pollMs, pollsPerSecond } = this.#limits;
    const pauseMs = Math.max(pollMs, (this.#processes.length * 1000) / pollsPerSecond);
    while (!this.#stop.signal.aborted) {
      const pause = new AbortController();
      this.#pauses.set(process, pause);
      await sleep(this.#clock, pauseMs, pause.signal);
      this.#pauses.delete(process);
      if (!this.#stop.signal.aborted) await this.#poll(process);
    }
  }

  #poll(process: Process): Promise<void> {
    const slots = process.state === 'lost' ? this.#lostSlots : this.#slots;
    return slots.run(async () => {
      if (this.#stop.signal.aborted) return;
      let hasMoved: boolean;
      try {
        const { positions } = await this.#positionsOf(process);
        hasMoved = process.answered(positions, this.#clock.wallMs());
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (!isTidemarkError(error)) throw error;
        process.failed(error);
        return;
      }
      this.#onPositions(process, hasMoved);
    });
  }

  #positionsOf({ name, reader }: Process): Promise<PositionsReply> {
    const { pollTimeoutMs } = this.#limits;
    return withinTime(this.#clock, pollTimeoutMs, name, this.#stop.signal, (signal) => reader.positions(signal));
  }
}
