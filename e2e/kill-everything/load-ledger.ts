import type { Acceptance } from '../simulation/ledger.ts';
import type { LedgerLine } from './ledger-line.ts';
import { METRICS, STEP_MS } from './settings.ts';

/** A value that a client recorded; no other point has the same value. */
export interface LoadPoint {
  readonly client: string;
  /** Runs of a client, from 0: a kill ends one. */
  readonly run: number;
  readonly metric: string;
  readonly slot: number;
  readonly timeMs: number;
  readonly value: number;
  /** True if it was in a batch that was sent to an intake. */
  isSent: boolean;
  /** True if an intake acknowledged to the client that it is durable. */
  isAcked: boolean;
}

/** Time in which a client spools its recorded points, also on a busy machine. */
const SPOOLED_MS = 5000;

/** Returns the key of a series and step, which at most one point has. */
export function pointKey(metric: string, client: string, slot: number, timeMs: number): string {
  return `${metric}{client:${client},slot:${slot}}@${Math.floor(timeMs / STEP_MS) * STEP_MS}`;
}

/** The ledgers of all clients: everything recorded, sent and acknowledged. */
export class LoadLedger {
  /** By `pointKey`. */
  readonly points = new Map<string, LoadPoint>();
  /** Errors of the clients themselves. */
  readonly problems: string[] = [];
  batches = 0;
  resends = 0;
  retries = 0;
  ends = 0;
  /** Time of the last record by client and run, and whether the run ended by a stop request. */
  readonly #runs = new Map<string, { lastMs: number; hasEnded: boolean }>();
  readonly #byValue = new Map<number, LoadPoint>();
  readonly #batches = new Map<string, { readonly checksum: string; readonly points: readonly LoadPoint[] }>();
  readonly #partitions = new Map<string, readonly number[]>();
  readonly #accepted = new Map<string, Acceptance[]>();

  add(client: string, lines: readonly LedgerLine[]): void {
    let run = -1;
    for (const line of lines) {
      if (line.type === 'begin') this.#runs.set(`${client}/${++run}`, { lastMs: line.atMs, hasEnded: false });
      else if (line.type === 'record') this.#record(client, run, line);
      else if (line.type === 'sent') this.#sent(client, line);
      else if (line.type === 'acked') this.#acked(client, line);
      else if (line.type === 'end') this.#end(client, run, line);
      else if (line.type !== 'stream') this.#notAccepted(client, line);
    }
  }

  /** Answers the plain consumer: the sessions that accepted a share, and until when at the latest. */
  acceptances(clientSession: string, sequence: number, partition: number): readonly Acceptance[] {
    const key = `${clientSession}:${sequence}`;
    return this.#partitions.get(key)?.includes(partition) ? (this.#accepted.get(key) ?? []) : [];
  }

  /** True if a killed run may have lost the point: it was recorded just before, and was sent to no intake. */
  mayBeGone({ client, run, timeMs, isSent }: LoadPoint): boolean {
    const known = this.#runs.get(`${client}/${run}`);
    return known !== undefined && !known.hasEnded && !isSent && timeMs > known.lastMs - SPOOLED_MS;
  }

  #record(client: string, run: number, { timeMs, slot, values }: LedgerLine & { type: 'record' }): void {
    const known = this.#runs.get(`${client}/${run}`);
    if (known !== undefined) known.lastMs = timeMs;
    METRICS.forEach(({ name: metric }, i) => {
      const value = values[i];
      if (value === null) return;
      const point = { client, run, metric, slot, timeMs, value, isSent: false, isAcked: false };
      const key = pointKey(metric, client, slot, timeMs);
      if (this.points.has(key) || this.#byValue.has(point.value)) this.problems.push(`${key} was recorded twice`);
      this.points.set(key, point);
      this.#byValue.set(point.value, point);
    });
  }

  #sent(client: string, line: LedgerLine & { type: 'sent' }): void {
    const key = `${line.clientSession}:${line.sequence}`;
    const known = this.#batches.get(key);
    if (known !== undefined) {
      if (known.checksum !== line.checksum) this.problems.push(`${client}: batch ${key} was retried with other shares`);
      return;
    }
    this.batches++;
    const points = line.values.flatMap((value) => {
      const point = this.#byValue.get(value);
      if (point === undefined)
        this.problems.push(`${client}: batch ${key} has the value ${value}, which no client recorded`);
      return point ?? [];
    });
    for (const point of points) point.isSent = true;
    this.#batches.set(key, { checksum: line.checksum, points });
    this.#partitions.set(key, line.partitions);
  }

  #acked(client: string, line: LedgerLine & { type: 'acked' }): void {
    const key = `${line.clientSession}:${line.sequence}`;
    const batch = this.#batches.get(key);
    if (batch?.points.length !== line.points) {
      this.problems.push(
        `${client}: batch ${key}: ${line.points} points acknowledged, expected ${batch?.points.length}`,
      );
    }
    for (const point of batch?.points ?? []) point.isAcked = true;
    // The map is static: every batch has the same.
    const accepted = { session: line.intakeSession, acceptMs: line.atMs, mapEpoch: 0 };
    this.#accepted.set(key, [...(this.#accepted.get(key) ?? []), accepted]);
  }

  #notAccepted(client: string, { type, sequence, why }: LedgerLine & { type: 'retry' | 'refused' }): void {
    if (type === 'retry') this.retries++;
    else this.problems.push(`${client}: batch ${sequence} was refused: ${why}`);
  }

  #end(client: string, run: number, { stats }: LedgerLine & { type: 'end' }): void {
    this.ends++;
    this.resends += stats.batchesResent;
    const known = this.#runs.get(`${client}/${run}`);
    if (known !== undefined) known.hasEnded = true;
    const { rejectedSamples, rejectedPoints, refusedPoints, droppedPoints, indeterminatePoints, pendingPoints } = stats;
    const bad = { rejectedSamples, rejectedPoints, refusedPoints, droppedPoints, indeterminatePoints, pendingPoints };
    const { spoolFailures, spoolBadBytes } = stats;
    for (const [what, count] of Object.entries({ ...bad, spoolFailures, spoolBadBytes })) {
      if (count > 0) this.problems.push(`${client} ends with ${what} = ${count} (${JSON.stringify(stats.reasons)})`);
    }
  }
}
