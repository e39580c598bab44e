/** What the process of a client under load is started with. */
export interface LoadClientSettings {
  /** Tag `client:` of its series. */
  readonly name: string;
  /** From 0; makes the values of its counters others than those of other clients. */
  readonly index: number;
  readonly addresses: readonly string[];
  readonly spoolFolder: string;
  /** Where it writes down what it does, line by line; runs of the same client go on in the same file. */
  readonly ledgerFile: string;
}
