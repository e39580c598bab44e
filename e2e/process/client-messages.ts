import type { ClientStats } from '@tidemark/client';

export interface ClientSettings {
  readonly address: string;
  readonly spoolFolder: string;
  /** Default: "spooling client". */
  readonly name?: string;
  readonly spoolBytes?: number;
}

/** A value of a count; null is NaN, which JSON lacks. */
export interface CountToRecord {
  readonly metric: string;
  readonly value: number | null;
  readonly tags?: readonly string[];
  readonly timestampMs: number;
}

/** From the test to the process of its client; each is answered with the client's figures. */
export type ToClient =
  | { readonly type: 'count'; readonly counts: readonly CountToRecord[] }
  | { readonly type: 'stats' };

export type FromClient = { readonly type: 'stats'; readonly stats: ClientStats };
