import { isTidemarkError } from '@tidemark/ports';
import { type Answer, type Ask, questionOf, rangeOf, valuesOf } from './contents.ts';
import { METRICS } from './settings.ts';

const EVERY_MS = 150;
const RANGE_MS = 20_000;
const AHEAD_MS = 1000;

/** Queries the last seconds of one metric after the other during the run, and keeps every answer. */
export class Watch {
  readonly answers: Answer[] = [];
  failed = 0;
  /** Answers that are wrong by themselves. */
  readonly problems: string[] = [];
  readonly #ask: Ask;
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#isStopped; turn++) {
      const metric = METRICS[turn % METRICS.length];
      const askedMs = Date.now();
      const range = rangeOf(askedMs - RANGE_MS, askedMs + AHEAD_MS);
      try {
        const reply = await this.#ask(questionOf(metric), range);
        const { completeThroughMs: throughMs, errors } = reply;
        const values = valuesOf(metric, reply);
        this.answers.push({ metric, range, askedMs, throughMs, errors: errors.length, values });
        if (throughMs !== undefined && errors.length > 0) {
          this.problems.push(`${metric.name}: an answer with errors claims to be complete through ${throughMs}`);
        }
      } catch (error) {
        this.failed++;
        const isExpected = ['unavailable', 'deadline_exceeded', 'cancelled'] as const;
        if (!isExpected.some((code) => isTidemarkError(error, code))) {
          this.problems.push(`${metric.name}: a query failed with ${String(error)}`);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }
}
