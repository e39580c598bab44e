import type { LogPartition } from '@tidemark/contract';
import { encodeControlCopy } from '@tidemark/control-copy';
import type { ControlFollower, ControlMessage } from '@tidemark/control-log';
import type { ProcessHealth } from '@tidemark/health';
import { asTidemarkError, type Clock, sleep, TidemarkError } from '@tidemark/ports';
import type { SnapshotThread } from './snapshot-thread.ts';

/** How often it is asked whether something was decided. */
const POLL_MS = 1000;
/** Time between two copies without a decision, ms: sessions and fences, for which alone none is made, are then newer. */
const AGAIN_MS = 3_600_000;
/** Time to the next attempt after a failure, ms. It doubles up to the second value. */
const RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;
/** How long a stop waits for a last copy, ms. */
const LAST_MS = 3000;
/** What a problem of copies is about. */
const CONTROL = 'control';

/** What changes with each renewal or end of a session is not worth a copy. */
const DECISIONS: ReadonlySet<ControlMessage['$case']> = new Set([
  ...(['map', 'skip', 'budget', 'key', 'term', 'setBack', 'checkpoint'] as const),
]);

export interface ControlCopyParts {
  readonly control: Pick<ControlFollower, 'state' | 'listen'>;
  /** The partitions of the log, `control` among them. */
  readonly partitions: () => readonly LogPartition[];
  readonly thread: Pick<SnapshotThread, 'putControl'>;
  /** Names the process, for operators. */
  readonly process: string;
  readonly clock: Clock;
  readonly health: Pick<ProcessHealth, 'report'>;
}

/**
 * Keeps a copy of what `control` has decided in the object store: keys, maps, skips. Each decision is in a copy after about a second,
 * so that a platform whose disk is lost has them. A failure is a problem of kind `snapshot` until a copy succeeds.
 */
export class ControlCopySchedule {
  readonly #parts: ControlCopyParts;
  readonly #stopping = new AbortController();
  readonly #unlisten: () => void;
  #isDue = true;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: ControlCopyParts) {
    this.#parts = parts;
    this.#unlisten = parts.control.listen((message) => {
      if (DECISIONS.has(message.$case)) this.#isDue = true;
    });
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Copies what was decided last, if the object store answers soon. */
  async stop(): Promise<void> {
    this.#unlisten();
    this.#stopping.abort();
    await this.#running;
    if (!this.#isDue || !this.#hasWholeState) return;
    const last = new AbortController();
    const timer = this.#parts.clock.setTimer(LAST_MS, () =>
      last.abort(new TidemarkError('cancelled', 'the process stops')),
    );
    await this.#put(last.signal).catch(() => undefined);
    timer.cancel();
  }

  async #run(): Promise<void> {
    const { clock, health } = this.#parts;
    const { signal } = this.#stopping;
    let lastMs = Number.NEGATIVE_INFINITY;
    let retryMs = RETRY_MS;
    while (!signal.aborted) {
      const isDue = this.#isDue || clock.monotonicMs() - lastMs >= AGAIN_MS;
      if (isDue && this.#hasWholeState) {
        // What is decided meanwhile may not be in this copy.
        this.#isDue = false;
        try {
          await this.#put(signal);
          lastMs = clock.monotonicMs();
          retryMs = RETRY_MS;
          health.report('snapshot', CONTROL, undefined);
        } catch (error) {
          this.#isDue = true;
          if (signal.aborted) return;
          health.report('snapshot', CONTROL, asTidemarkError(error));
          await sleep(clock, retryMs, signal);
          retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
        }
      }
      await sleep(clock, POLL_MS, signal);
    }
  }

  /**
   * False for a reader whose next records were trimmed, and while an era may be unknown: the next checkpoint, or the coordinator,
   * ends that.
   */
  get #hasWholeState(): boolean {
    const { isWhole, mayLackEra } = this.#parts.control.state;
    return isWhole && !mayLackEra;
  }

  async #put(signal: AbortSignal): Promise<void> {
    const { control, partitions, thread, process, clock } = this.#parts;
    const createdMs = Math.floor(clock.wallMs());
    await thread.putControl(encodeControlCopy(control.state, partitions(), { createdMs, createdBy: process }), signal);
  }
}
