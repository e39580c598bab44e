import type { Flip } from './choose-flip.ts';
import type { MadeFolder } from './make-folder.ts';
import type { FlipResult } from './run-flip.ts';

/** From the program to a process that plays seeds. */
export interface ToPlayer {
  readonly seed: number;
  readonly made: MadeFolder;
  /** The folder that is damaged and started. */
  readonly work: string;
  /** Absent for a folder that is damaged already. */
  readonly flipped?: Flip;
}

/** From a process that plays seeds: that it begins, which flip it made, and the result. */
export type FromPlayer = { readonly type: 'ready' } | { readonly type: 'done'; readonly result: FlipResult };
