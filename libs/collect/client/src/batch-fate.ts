/**
 * What becomes of the points of one batch, in whichever client session it is: pending, then durable in the spool, then
 * acknowledged or lost. flush.test.ts covers it.
 */
export class BatchFate {
  #points: number;
  #acknowledged = 0;
  #lost = 0;
  #isSpooled = false;
  #onDecided: (() => void) | undefined;

  constructor(points: number) {
    this.#points = points;
  }

  /** Points that are durable in the platform's log. */
  get acknowledgedPoints(): number {
    return this.#acknowledged;
  }

  /** Points that were given up, or that the platform left out. */
  get lostPoints(): number {
    return this.#lost;
  }

  /** Other points. */
  get openPoints(): number {
    return Math.max(0, this.#points - this.#acknowledged - this.#lost);
  }

  /** True when a restart finds the other points in the spool. */
  get isSpooled(): boolean {
    return this.#isSpooled;
  }

  /** True while the client's memory alone has some of the points. */
  get isPending(): boolean {
    return !this.#isSpooled && this.openPoints > 0;
  }

  /** Sets what is called once, when no point is pending any more. */
  onDecided(callback: () => void): void {
    this.#onDecided = callback;
  }

  spooled(): void {
    this.#isSpooled = true;
    this.#decide();
  }

  /** These points are part of others of the batch: they need no fate of their own. */
  merged(points: number): void {
    this.#points -= points;
  }

  acknowledged(points: number): void {
    this.#acknowledged += points;
    this.#decide();
  }

  lost(points: number): void {
    this.#lost += points;
    this.#decide();
  }

  #decide(): void {
    if (this.isPending) return;
    const callback = this.#onDecided;
    this.#onDecided = undefined;
    callback?.();
  }
}
