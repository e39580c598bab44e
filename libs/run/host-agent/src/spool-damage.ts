import type { AgentOptions } from '@tidemark/agent';
import type { ClientRejection, ClientStats } from '@tidemark/client';

/** The reason under which an agent reports its damaged spool folder; the doctor has a finding for it. */
const FOLDER_DAMAGED = 'spool_folder_damaged';
/** Points of a batch whose record could not be read before it was sent. */
const UNREADABLE = 'spool_unreadable';

type Counts = Pick<ClientStats, 'spoolBadBytes' | 'droppedPoints' | 'indeterminatePoints' | 'reasons'>;

/** What damage took out of the spool of an agent: for the agent's log, and for the doctor. */
export class SpoolDamage {
  readonly #folder: string;
  readonly #onProblem: NonNullable<AgentOptions['onProblem']>;
  #found: string | undefined;
  #isUnreadableSaid = false;

  constructor(folder: string, onProblem: NonNullable<AgentOptions['onProblem']>) {
    this.#folder = folder;
    this.#onProblem = onProblem;
  }

  /** Reports what the client has lost of earlier runs; `counts` are those of a client that was just opened. */
  opened({ spoolBadBytes, droppedPoints, indeterminatePoints, reasons }: Counts): void {
    if (spoolBadBytes === 0 && reasons.spool_damaged === undefined) return;
    const lost = `${droppedPoints} points dropped, ${indeterminatePoints} indeterminate`;
    this.#found = `${spoolBadBytes} bytes can't be read, ${lost}, in ${this.#folder}`;
    this.#warn(this.#found);
  }

  /** Reports the first record that can't be read later; the others are counted with it. */
  rejected({ reason, points }: Pick<ClientRejection, 'reason' | 'points'>): void {
    if (reason !== UNREADABLE || this.#isUnreadableSaid) return;
    this.#isUnreadableSaid = true;
    this.#warn(`a batch of ${points} points can't be read, in ${this.#folder}`);
  }

  /** What the agent reports to intakes. */
  get refusals(): { readonly reason: string; readonly count: number; readonly example: string }[] {
    return this.#found === undefined ? [] : [{ reason: FOLDER_DAMAGED, count: 1, example: this.#found }];
  }

  #warn(what: string): void {
    this.#onProblem(`the spool is damaged: ${what}. Check its disk; the rest of the spool is sent`, {});
  }
}
