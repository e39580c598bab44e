/** The files of the host that checks read, mostly under `/proc`. */
export interface HostFiles {
  /** The whole text of a file. */
  readText(path: string): Promise<string>;
  /** The names in a folder. */
  list(path: string): Promise<string[]>;
}
