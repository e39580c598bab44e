/** A server with remote write that the comparison starts over an empty folder. */
export interface Peer {
  readonly name: string;
  /** `nowMs`: time of the data of a folder that is not empty; default the start of the bodies. */
  start(folder: string, nowMs?: number): Promise<RunningPeer>;
}

export interface RunningPeer {
  readonly pid: number;
  readonly url: string;
  /** URL for the bodies. */
  readonly writeUrl: string;
  /** Sets the clock of a platform that follows the data. */
  setClock?(nowMs: number): void;
  /** Resolves once queries show every sample. */
  settle(points: number): Promise<void>;
  /** Returns count and sum by `metric region`, as text that is the same for each peer. */
  answers(): Promise<ReadonlyMap<string, string>>;
  /** Stops the server. Returns the bytes on disk that it keeps permanently for the samples. */
  stop(): Promise<number>;
}
