import type { ClientStats } from '@tidemark/client';

/** A run of a client begins. */
export interface BeginLine {
  readonly type: 'begin';
  readonly atMs: number;
}

/** Points will be recorded. `values` has one of each metric in the order of `METRICS`, or none. */
export interface RecordLine {
  readonly type: 'record';
  readonly timeMs: number;
  readonly slot: number;
  readonly values: readonly (number | null)[];
}

/** A batch goes to an intake, for the first time in this run. */
export interface SentLine {
  readonly type: 'sent';
  readonly clientSession: string;
  readonly sequence: number;
  readonly partitions: readonly number[];
  /** Values of its points: a value identifies its point. */
  readonly values: readonly number[];
  /** Checksum of its shares, which every retry must have. */
  readonly checksum: string;
}

/** The outcome of a stream to an intake. */
export interface StreamLine {
  readonly type: 'stream';
  readonly clientSession: string;
  readonly address: string;
  readonly atMs: number;
  readonly what: string;
}

interface Answer {
  readonly clientSession: string;
  readonly sequence: number;
  readonly points: number;
  /** Session of the intake, hex. */
  readonly intakeSession: string;
  readonly atMs: number;
}

/** An intake acknowledged that a batch is durable. */
export interface AckedLine extends Answer {
  readonly type: 'acked';
}

/** An intake asked for a retry of a batch, or refused it permanently. */
export interface NotTakenLine extends Answer {
  readonly type: 'retry' | 'refused';
  readonly why: string;
}

/** Everything is settled, and the run ends. */
export interface EndLine {
  readonly type: 'end';
  readonly stats: ClientStats;
}

/** A line of a client's ledger. One call writes it before its action, so that it survives a kill. */
export type LedgerLine = BeginLine | RecordLine | SentLine | AckedLine | NotTakenLine | StreamLine | EndLine;

/** Reads the lines of a ledger; a kill may have cut the last one. */
export function parseLedger(text: string): LedgerLine[] {
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    if (line === '') return [];
    try {
      return [JSON.parse(line) as LedgerLine];
    } catch (error) {
      if (i === lines.length - 1) return [];
      throw error;
    }
  });
}
