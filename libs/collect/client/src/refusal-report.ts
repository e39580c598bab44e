import type { LocalRefusal } from '@tidemark/contract';
import { LocalRefusals } from './local-refusals.ts';
import type { SessionOwner } from './session-owner.ts';
import type { SessionStream } from './session-stream.ts';

/** Counts that change all the time are reported this often, ms. */
const EVERY_MS = 5_000;

/**
 * Reports to the intake what the client refused or dropped itself, and the sources of the program around it, when that
 * changes. client.test.ts covers it.
 */
export class RefusalReport {
  readonly #owner: SessionOwner;
  #stream: SessionStream | undefined;
  #sent = '';
  #sentMs = Number.NEGATIVE_INFINITY;

  constructor(owner: SessionOwner) {
    this.#owner = owner;
  }

  /** Sends a report on a writable stream if one is due. A new stream has not got any yet. */
  sendDue(stream: SessionStream): void {
    const { clock, isLive } = this.#owner;
    const nowMs = clock.monotonicMs();
    if (!isLive() || (stream === this.#stream && nowMs < this.#sentMs + EVERY_MS)) return;
    const refusals = this.#refusals();
    const sources = [...(this.#owner.options.sources?.() ?? [])];
    const text = JSON.stringify([refusals, sources]);
    if (stream === this.#stream ? text === this.#sent : refusals.length + sources.length === 0) return;
    this.#stream = stream;
    this.#sent = text;
    this.#sentMs = nowMs;
    stream.send({ message: { $case: 'refusals', value: { refusals, sources } } });
  }

  /** Those of the client, and of the program around it. */
  #refusals(): LocalRefusal[] {
    const { counters, options } = this.#owner;
    const all = new LocalRefusals();
    all.addAll(counters.localRefusals.list);
    all.addAll(options.refusals?.() ?? []);
    return all.list;
  }
}
