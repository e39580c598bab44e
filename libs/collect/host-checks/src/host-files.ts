/** The files of the host that checks read, mostly under `/proc`. */
export interface HostFiles {
  /** Reads the whole text of a file. */
  readText(path: string): Promise<string>;
  /** Lists the names in a folder. */
  list(path: string): Promise<string[]>;
}
