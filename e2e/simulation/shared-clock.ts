import type { Random } from '@tidemark/ports';
import type { SimulatedWorld } from '@tidemark/simulation';
import type { SupervisedNode } from './supervised-node.ts';

/** How long the shared time is wrong, and how long machines take to follow a change of it, at most, ms. */
const WRONG_MS = 25_000;
const FOLLOW_MS = 1500;

/** The clocks of machines that follow one time server: when it is wrong, all are, and they are corrected together. */
export class SharedClock {
  readonly #world: SimulatedWorld;
  readonly #random: Random;
  readonly #nodes: readonly SupervisedNode<unknown>[];
  /** Error of each node's clock, ms. */
  readonly #errors = new Map<SupervisedNode<unknown>, number>();
  #wrongByMs = 0;

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
    this.#world.clock.setTimer(FOLLOW_MS + this.#random.next() * WRONG_MS, () => this.correct());
  }

  /** Corrects the clocks that are not right yet. */
  correct(): void {
    if (this.#wrongByMs === 0) return;
    this.#wrongByMs = 0;
    this.#world.trace('all clocks are corrected');
    this.#follow();
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
