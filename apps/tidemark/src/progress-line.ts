import { formatBytes } from '@tidemark/doctor';
import { printable } from '@tidemark/model/safe-text';

/** The part of a stream that a line is drawn on. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Shortest time between two drawings, ms. */
const REDRAW_MS = 200;
/** A rate is shown after so much time, ms. */
const RATE_MS = 1000;
const COLUMNS = 80;
const CLEAR = '\r\u001b[K';

/** A line on a terminal that shows how much of long work is done. On another output it writes nothing. */
export class ProgressLine {
  readonly #out: ProgressOutput;
  readonly #nowMs: () => number;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #work: { readonly name: string; readonly sinceMs: number; readonly fromBytes: number } | undefined;

  /** `nowMs` is a time that never steps back, such as `performance.now`. */
  constructor(out: ProgressOutput, nowMs: () => number) {
    this.#out = out;
    this.#nowMs = nowMs;
  }

  /** Shows the bytes of the work of this name; a total of 0: it begins, and none of them is known yet. */
  show(name: string, doneBytes: number, totalBytes: number): void {
    if (this.#out.isTTY !== true) return;
    const nowMs = this.#nowMs();
    if (totalBytes === 0) this.#work = undefined;
    else if (this.#work?.name !== name) this.#work = { name, sinceMs: nowMs, fromBytes: doneBytes };
    if (nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    const text = [printable(name), ...this.#words(nowMs, doneBytes, totalBytes)].join('  ');
    // A line that wraps could not be cleared. A terminal without a known width has 0.
    this.#out.write(CLEAR + text.slice(0, (this.#out.columns || COLUMNS) - 1));
  }

  /** Removes the line, so that other text can be written. */
  clear(): void {
    if (this.#drawnMs === Number.NEGATIVE_INFINITY) return;
    this.#drawnMs = Number.NEGATIVE_INFINITY;
    this.#out.write(CLEAR);
  }

  #words(nowMs: number, doneBytes: number, totalBytes: number): string[] {
    if (this.#work === undefined) return ['nothing sent yet'];
    const { sinceMs, fromBytes } = this.#work;
    const percent = `${Math.floor((100 * doneBytes) / totalBytes)}%`.padStart(4);
    const words = [percent, `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`];
    const elapsedMs = nowMs - sinceMs;
    if (elapsedMs >= RATE_MS) words.push(`${formatBytes(((doneBytes - fromBytes) * 1000) / elapsedMs)}/s`);
    return words;
  }
}
