import type { Random } from '@tidemark/ports';
import type { SimulatedWorld } from '@tidemark/simulation';
import type { SupervisedNode } from './supervised-node.ts';

/** How long the shared time is wrong, and how long machines take to follow a change of it, at most, ms. */
const WRONG_MS = 25_000;
const FOLLOW_MS = 1500;

/** Share of the corrections that take two steps, and the max time between them, ms. */
const IN_TWO_STEPS = 0.3;
const BETWEEN_MS = 12_000;

/** The clocks of machines that follow one time server: when it is wrong, all are, and they are corrected together. */
export class SharedClock {
  readonly #world: SimulatedWorld;
  readonly #random: Random;
  readonly #nodes: readonly SupervisedNode<unknown>[];
  /** Error of each node's clock, ms. */
  readonly #errors = new Map<SupervisedNode<unknown>, number>();
  #wrongByMs = 0;
  /** Number of corrections. A timer of an earlier one does nothing. */
  #run = 0;

  constructor(world: SimulatedWorld, nodes: readonly SupervisedNode<unknown>[]) {
    this.#world = world;
    this.#random = world.random.fork('shared clock');
    this.#nodes = nodes;
  }

  /** Sets all clocks wrong for a while. Does nothing while they already are. */
  set(byMs: number): void {
    if (this.#wrongByMs !== 0) return;
    this.#wrongByMs = byMs;
    this.#world.trace(`all clocks are off by ${Math.round(byMs)} ms`);
    this.#follow();
    this.#later(FOLLOW_MS + this.#random.next() * WRONG_MS, () => {
      if (this.#random.next() < IN_TWO_STEPS) this.#correctInPart();
      else this.correct();
    });
  }

  /** Corrects the clocks by a part, and later by the rest: the log's time is set back twice. */
  #correctInPart(): void {
    this.#wrongByMs *= this.#random.next();
    this.#world.trace(`all clocks are off by ${Math.round(this.#wrongByMs)} ms from now on`);
    this.#follow();
    this.#later(FOLLOW_MS + this.#random.next() * BETWEEN_MS, () => this.correct());
  }

  /** Corrects the clocks that are not right yet. */
  correct(): void {
    if (this.#wrongByMs === 0) return;
    this.#run++;
    this.#wrongByMs = 0;
    this.#world.trace('all clocks are corrected');
    this.#follow();
  }

  #later(delayMs: number, task: () => void): void {
    const run = this.#run;
    this.#world.clock.setTimer(delayMs, () => {
      if (run === this.#run) task();
    });
  }

  #follow(): void {
    for (const node of this.#nodes) {
      this.#world.clock.setTimer(this.#random.next() * FOLLOW_MS, () => {
        node.shift(this.#wrongByMs - (this.#errors.get(node) ?? 0));
        this.#errors.set(node, this.#wrongByMs);
      });
    }
  }
}
