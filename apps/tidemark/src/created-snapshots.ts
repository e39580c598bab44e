import { formatBytes } from '@tidemark/doctor';
import { tableOf } from './list-output.ts';

/** A snapshot that a process made on request. */
export interface CreatedSnapshot {
  /** `points/3`. */
  readonly of: string;
  /** Address of the process. */
  readonly process: string;
  readonly id: string;
  readonly offset: number;
  /** ISO 8601. */
  readonly made: string;
  readonly uploadedBytes: number;
  readonly reusedBytes: number;
}

export interface FailedSnapshot {
  /** Undefined for an error of the process as a whole. */
  readonly of?: string;
  /** Undefined where no process has what was asked for. */
  readonly process?: string;
  readonly code: string;
  readonly reason: string;
}

/** What has come of a request for snapshots. */
export interface CreatedSnapshots {
  readonly snapshots: CreatedSnapshot[];
  readonly failed: FailedSnapshot[];
}

/** Formats snapshots as a table, with their processes where there are several. */
export function createdTable(snapshots: readonly CreatedSnapshot[]): string {
  const isCluster = new Set(snapshots.map((one) => one.process)).size > 1;
  const head = ['of', 'snapshot', 'offset', 'made', 'sent', 'reused', ...(isCluster ? ['process'] : [])];
  const rows = snapshots.map(({ of, process, id, offset, made, uploadedBytes, reusedBytes }) => {
    const row = [of, id, offset, made, formatBytes(uploadedBytes), formatBytes(reusedBytes)];
    return isCluster ? [...row, process] : row;
  });
  return tableOf(head, rows);
}

/** Formats a failure for people. */
export function failedText({ of, process, reason }: FailedSnapshot): string {
  if (process === undefined) return reason;
  return `${of === undefined ? process : `no snapshot of ${of} was made at ${process}`}: ${reason}`;
}
