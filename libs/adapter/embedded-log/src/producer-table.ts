import { toHex } from '@tidemark/bytes';

/** The last record of one producer: enough to answer when it is repeated. */
export interface ProducerState {
  readonly producer: Uint8Array;
  /** -1 before its first record. */
  sequence: number;
  offset: number;
  appendTimeMs: number;
  valueCrc: number;
  valueBytes: number;
}

export function newProducerState(producer: Uint8Array): ProducerState {
  return { producer, sequence: -1, offset: -1, appendTimeMs: 0, valueCrc: 0, valueBytes: 0 };
}

/** The producers of one partition, the least recent first. A writer in use keeps its state whatever is forgotten. */
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

  /** Makes `state` the most recent one, and forgets the least recent beyond the limit. */
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
