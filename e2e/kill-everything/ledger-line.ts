import type { ClientStats } from '@tidemark/client';

/** A run of a client begins. */
export interface BeginLine {
  readonly type: 'begin';
  readonly atMs: number;
}

/** Points are about to be recorded; `values` has one of each metric, in the order of `METRICS`, or none. */
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
  /** Of its points: a value tells the point. */
  readonly values: readonly number[];
  /** Checksum of its shares: every repetition has to have the same. */
  readonly checksum: string;
}

/** What becomes of a stream to an intake. */
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

/** An intake said that a batch is durable. */
export interface AckedLine extends Answer {
  readonly type: 'acked';
}

/** An intake said that a batch is to be sent again, or can never be taken. */
export interface NotTakenLine extends Answer {
  readonly type: 'retry' | 'refused';
  readonly why: string;
}

/** Everything is settled, and the run ends. */
export interface EndLine {
  readonly type: 'end';
  readonly stats: ClientStats;
}

/** A line of a client's ledger. It is written with one call before what it speaks of is done, so a kill leaves it. */
export type LedgerLine = BeginLine | RecordLine | SentLine | AckedLine | NotTakenLine | StreamLine | EndLine;

/** The lines of a ledger; the last may be torn by a kill. */
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
