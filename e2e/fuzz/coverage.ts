import { type Profiler, Session } from 'node:inspector';

/** Counts above a power of two are another behaviour of a loop. */
const MAX_CLASS = 8;

/**
 * Which blocks of the project's code run, by the precise coverage of V8. The engine does not optimize code meanwhile, so
 * it is on only while inputs are searched by it.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();
  /** What the last call of `take` found. */
  readonly #newest = new Set<string>();

  start(): void {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  stop(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  /** Returns how many blocks ran since the last call that never ran before, or never as often. */
  take(): number {
    this.#newest.clear();
    // The inspector of the own thread answers before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error === null) for (const script of result) this.#add(script);
    });
    return this.#newest.size;
  }

  /** Forgets what the last call of `take` found, so that the input that caused it is found by running it again. */
  forgetNewest(): void {
    for (const block of this.#newest) this.#seen.delete(block);
  }

  #add({ url, scriptId, functions }: Profiler.ScriptCoverage): void {
    if (!url.includes('/libs/')) return;
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset, count } of ranges) {
        if (count === 0) continue;
        const times = Math.min(MAX_CLASS, 31 - Math.clz32(count));
        const block = `${scriptId}:${startOffset}-${endOffset}*${times}`;
        if (!this.#seen.has(block)) this.#newest.add(block);
        this.#seen.add(block);
      }
    }
  }
}
