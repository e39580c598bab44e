import { toHex } from '@tidemark/bytes';

/** The last record of one producer, so that a repeat of it can be answered. */
export interface ProducerState {
  readonly producer: Uint8Array;
  /** Sequence of the last record; -1 before the first. */
  sequence: number;
  offset: number;
  appendTimeMs: number;
  valueCrc: number;
  valueBytes: number;
}

export function newProducerState(producer: Uint8Array): ProducerState {
  return { producer, sequence: -1, offset: -1, appendTimeMs: 0, valueCrc: 0, valueBytes: 0 };
}

/**
 * The producers of one partition, the oldest first. A writer in use keeps its state even when its producer is
 * forgotten.
 */
export class ProducerTable {
  readonly #limit: number;
  readonly #states = new Map<string, ProducerState>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#states.size;
  }

  find(producer: Uint8Array): ProducerState | undefined {
    return this.#states.get(toHex(producer));
  }

  /** Makes `state` the newest, and forgets the oldest beyond the limit. */
  touch(state: ProducerState): void {
    const key = toHex(state.producer);
    this.#states.delete(key);
    this.#states.set(key, state);
    if (this.#states.size <= this.#limit) return;
    for (const oldest of this.#states.keys()) {
      this.#states.delete(oldest);
      break;
    }
  }

  states(): Iterable<ProducerState> {
    return this.#states.values();
  }
}
