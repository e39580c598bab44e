import type { Checkpoint } from '@tidemark/contract';
import { type ControlFollower, type ControlMessage, type ControlWriter, splitCheckpoint } from '@tidemark/control-log';
import type { Clock, Log } from '@tidemark/ports';

const CHECKPOINT_RECORDS = 10_000;
/** Pause after a checkpoint that did not count, ms. It doubles up to the second value: each has the whole state. */
const RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;

export interface CheckpointOptions {
  readonly log: Log;
  readonly control: ControlFollower;
  readonly clock: Clock;
  /** Records of `control` between two checkpoints (default 10,000): about the maximum that a reader replays. */
  readonly checkpointRecords?: number;
  /** Max bytes of one record of a checkpoint; a larger checkpoint has several. */
  readonly checkpointPartBytes?: number;
}

/**
 * Appends checkpoints of `control`, and trims it. A checkpoint has the state as of the record that begins it: sessions
 * append renewals while its parts are appended, at any time.
 */
export class CheckpointAppender {
  readonly #options: CheckpointOptions;
  readonly #writer: ControlWriter;
  #beginning: number | undefined;
  #begun: Checkpoint | undefined;
  #retryMs = RETRY_MS;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #trimmed = -1;

  constructor(options: CheckpointOptions, writer: ControlWriter) {
    this.#options = options;
    this.#writer = writer;
  }

  /** Keeps the state as of the record that begins a checkpoint. It must be called after each applied record. */
  received(message: ControlMessage): void {
    if (message.$case !== 'checkpointBegun' || message.value.term !== this.#beginning) return;
    this.#begun = this.#options.control.state.checkpoint();
  }

  /**
   * Appends a checkpoint of `term` when there are enough records since the last one, and trims the log before the last but
   * one: one damaged record must not be the only copy of the state.
   */
  async advance(term: number, signal: AbortSignal): Promise<void> {
    const { control, log, clock, checkpointRecords = CHECKPOINT_RECORDS } = this.#options;
    const { nextOffset, checkpointOffset } = control.state;
    const isDue = nextOffset - (checkpointOffset + 1) >= checkpointRecords;
    if (isDue && clock.monotonicMs() >= this.#notBeforeMs) await this.#append(term, signal);
    const before = control.previousCheckpointOffset;
    if (before <= this.#trimmed) return;
    await log.trim('control', 0, before);
    this.#trimmed = before;
  }

  async #append(term: number, signal: AbortSignal): Promise<void> {
    const { control, clock, checkpointPartBytes } = this.#options;
    const offset = await this.#begin(term, signal);
    const checkpoint = this.#begun;
    this.#begun = undefined;
    // Another coordinator took over, or the record was appended twice.
    if (control.state.term > term || checkpoint?.offset !== offset) return this.#wait();
    let last = offset;
    for (const value of splitCheckpoint(checkpoint, checkpointPartBytes)) {
      last = (await this.#writer.append({ $case: 'checkpoint', value }, signal)).offset;
    }
    await control.reached(last, signal);
    if (control.state.checkpointOffset !== offset) return this.#wait();
    this.#retryMs = RETRY_MS;
    this.#notBeforeMs = clock.monotonicMs();
  }

  /** Returns the offset of the record that begins a checkpoint, once this process has read it. */
  async #begin(term: number, signal: AbortSignal): Promise<number> {
    this.#beginning = term;
    try {
      const { offset } = await this.#writer.append({ $case: 'checkpointBegun', value: { term } }, signal);
      await this.#options.control.reached(offset, signal);
      return offset;
    } finally {
      this.#beginning = undefined;
    }
  }

  #wait(): void {
    this.#notBeforeMs = this.#options.clock.monotonicMs() + this.#retryMs;
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
  }
}
