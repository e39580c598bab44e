import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../process/eventually.ts';
import type { LedgerLine } from './ledger-line.ts';
import { HTTP_CLIENT, METRICS, SLOTS, STEP_MS, TICK_MS, VALUE_LIMIT } from './settings.ts';

const REQUEST_MS = 5000;
const AGAIN_MS = 200;
const MAX_AGAIN_MS = 5000;
/**
 * Max number of unsettled payloads: below the 1,024 that a key allows, and few enough that retries do not become most
 * of the load on a slow machine.
 */
const WINDOW = 200;
/** Types of Datadog's v2 series. */
const TYPES: Readonly<Record<string, number>> = { count: 1, gauge: 3 };

/**
 * A source without the client library: it posts payloads of Datadog's v2 series to the intakes, each with its
 * `Idempotency-Key` until an intake accepts it, and writes a ledger like a client.
 */
export class HttpSource {
  readonly lines: LedgerLine[] = [];
  resends = 0;
  readonly #addresses: readonly string[];
  readonly #session = randomBytes(16).toString('hex');
  readonly #unsettled = new Map<number, Promise<void>>();
  #turn = 0;
  #nextSequence = 0;
  #isStopped = false;
  #running: Promise<void> | undefined;

  /** `addresses` are `host:port` of the intakes' HTTP endpoints. */
  constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
  }

  start(): void {
    this.lines.push({ type: 'begin', atMs: Date.now() });
    this.#running = this.#run();
  }

  /** Ends the load. Resolves when every payload is accepted or refused. */
  async stop(withinMs: number): Promise<void> {
    this.#isStopped = true;
    await this.#running;
    await eventually('the payloads over HTTP to be settled', () => this.#unsettled.size === 0, withinMs);
  }

  async #run(): Promise<void> {
    const epoch = await this.#mapEpoch();
    for (let last = 0; !this.#isStopped; await delay(TICK_MS / 10)) {
      const tick = Math.floor(Date.now() / TICK_MS);
      const [oldest = this.#nextSequence] = this.#unsettled.keys();
      if (tick <= last || this.#nextSequence - oldest >= WINDOW) continue;
      last = tick;
      this.#send(tick, epoch);
    }
  }

  #send(tick: number, epoch: string): void {
    const slot = tick % SLOTS;
    const timeMs = Math.floor((tick * TICK_MS) / STEP_MS) * STEP_MS;
    const values = METRICS.map(({ kind }) => (TYPES[kind] === undefined ? null : randomInt(1, VALUE_LIMIT)));
    const sequence = this.#nextSequence++;
    const tags = [`client:${HTTP_CLIENT}`, `slot:${slot}`];
    const series = METRICS.flatMap(({ name: metric, kind }, i) => {
      const points = [{ timestamp: timeMs / 1000, value: values[i] }];
      return values[i] === null ? [] : [{ metric, type: TYPES[kind], tags, points }];
    });
    const sent = values.filter((value) => value !== null);
    const batch = { clientSession: this.#session, sequence };
    this.lines.push({ type: 'record', timeMs, slot, values });
    this.lines.push({ type: 'sent', ...batch, partitions: [], values: sent, checksum: '' });
    const settled = this.#deliver(JSON.stringify({ series }), `${this.#session}.${sequence}.${epoch}`).then((why) => {
      const answer = { ...batch, points: sent.length, intakeSession: '', atMs: Date.now() };
      this.lines.push(why === undefined ? { type: 'acked', ...answer } : { type: 'refused', ...answer, why });
      this.#unsettled.delete(sequence);
    });
    this.#unsettled.set(sequence, settled);
  }

  /** Sends a payload until an intake accepts it; returns the reason if none can accept it. */
  async #deliver(body: string, key: string): Promise<string | undefined> {
    for (let pauseMs = AGAIN_MS; ; pauseMs = Math.min(MAX_AGAIN_MS, 2 * pauseMs)) {
      const answer = await this.#ask('/api/v2/series', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'dd-api-key': 'any', 'idempotency-key': key },
        body,
      });
      // An omitted point would be lost silently.
      if (answer?.status === 202 && answer.text === '{"errors":[]}') return undefined;
      if (answer !== undefined && answer.status !== 503 && answer.status !== 429)
        return `${answer.status}: ${answer.text}`;
      this.resends++;
      await delay(pauseMs);
    }
  }

  async #mapEpoch(): Promise<string> {
    for (;;) {
      const answer = await this.#ask('/api/v1/validate', { headers: { 'dd-api-key': 'any' } });
      const epoch = answer?.headers.get('tidemark-map-epoch');
      if (answer?.status === 200 && typeof epoch === 'string') return epoch;
      await delay(AGAIN_MS);
    }
  }

  /** Tries the intakes in turn; undefined if the outcome is unknown. */
  async #ask(
    path: string,
    request: RequestInit,
  ): Promise<{ status: number; text: string; headers: Headers } | undefined> {
    const address = this.#addresses[this.#turn++ % this.#addresses.length];
    try {
      const signal = AbortSignal.timeout(REQUEST_MS);
      const response = await fetch(`http://${address}${path}`, { ...request, signal });
      return { status: response.status, text: await response.text(), headers: response.headers };
    } catch {
      return undefined;
    }
  }
}
