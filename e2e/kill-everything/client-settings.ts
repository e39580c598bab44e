/** Options of the process of a client under load. */
export interface LoadClientSettings {
  /** Tag `client:` of its series. */
  readonly name: string;
  /** Number from 0, which makes the values of its counters differ from those of other clients. */
  readonly index: number;
  readonly addresses: readonly string[];
  readonly spoolFolder: string;
  /** Path of its ledger, which has a line per action. All runs of a client append to the same file. */
  readonly ledgerFile: string;
}
