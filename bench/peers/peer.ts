/** A platform that takes remote write, as the comparison runs it: fresh, over an empty folder. */
export interface Peer {
  readonly name: string;
  start(folder: string): Promise<RunningPeer>;
}

export interface RunningPeer {
  readonly pid: number;
  /** Where bodies are posted. */
  readonly writeUrl: string;
  /** Is told when all connections are past a round. */
  onRound?(round: number): void;
  /** Resolves once queries show every sample. */
  settle(points: number): Promise<void>;
  /** `metric region` → count and sum; the same text of each peer. */
  answers(): Promise<ReadonlyMap<string, string>>;
  /** Ends it. Resolves with the bytes on disk that it keeps of the samples for good. */
  stop(): Promise<number>;
}
