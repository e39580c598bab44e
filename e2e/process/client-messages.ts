import type { ClientStats } from '@tidemark/client';

export interface ClientSettings {
  readonly address: string;
  readonly spoolFolder: string;
  /** Default: "spooling client". */
  readonly name?: string;
}

/** From the test to the process of its client; each is answered with the client's figures. */
export type ToClient =
  | { readonly type: 'count'; readonly metric: string; readonly value: number; readonly timestampMs: number }
  | { readonly type: 'stats' };

export type FromClient = { readonly type: 'stats'; readonly stats: ClientStats };
