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
  /** It was in a batch that went to an intake. */
  isSent: boolean;
  /** An intake said to the client that it is durable. */
  isAcked: boolean;
}

/** A client has what it recorded in its spool by then, on a busy machine too. */
const SPOOLED_MS = 5000;

/** Of one series and step: at most one point has it. */
export function pointKey(metric: string, client: string, slot: number, timeMs: number): string {
  return `${metric}{client:${client},slot:${slot}}@${Math.floor(timeMs / STEP_MS) * STEP_MS}`;
}

/** What all clients wrote down: everything recorded, sent and acknowledged. */
export class LoadLedger {
  /** By `pointKey`. */
  readonly points = new Map<string, LoadPoint>();
  /** What the clients themselves did wrong. */
  readonly problems: string[] = [];
  batches = 0;
  resends = 0;
  retries = 0;
  ends = 0;
  /** By client and run: when it recorded last, and whether it ended because it was told to. */
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
      else if (line.type !== 'stream') this.#notTaken(client, line);
    }
  }

  /** As the plain consumer asks: which sessions are known to have taken a share, and until when at the latest. */
  acceptances(clientSession: string, sequence: number, partition: number): readonly Acceptance[] {
    const key = `${clientSession}:${sequence}`;
    return this.#partitions.get(key)?.includes(partition) ? (this.#accepted.get(key) ?? []) : [];
  }

  /** It may be gone with a run that was killed: it had hardly been recorded, and went to no intake. */
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
      if (known.checksum !== line.checksum)
        this.problems.push(`${client}: batch ${key} was sent again, with other shares`);
      return;
    }
    this.batches++;
    const points = line.values.flatMap((value) => {
      const point = this.#byValue.get(value);
      if (point === undefined)
        this.problems.push(`${client}: batch ${key} has the value ${value}, which nobody recorded`);
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
        `${client}: ${line.points} points of batch ${key} were taken, sent were ${batch?.points.length}`,
      );
    }
    for (const point of batch?.points ?? []) point.isAcked = true;
    // The map is static: every batch has the same.
    const accepted = { session: line.intakeSession, acceptMs: line.atMs, mapEpoch: 0 };
    this.#accepted.set(key, [...(this.#accepted.get(key) ?? []), accepted]);
  }

  #notTaken(client: string, { type, sequence, why }: LedgerLine & { type: 'retry' | 'refused' }): void {
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
