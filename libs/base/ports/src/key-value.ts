/** One change of a batch; `value` absent deletes the key. */
export interface KeyValueWrite {
  readonly key: Uint8Array;
  readonly value?: Uint8Array;
}

export interface KeyRange {
  /** First key, inclusive. */
  readonly from: Uint8Array;
  /** End of the range, exclusive. */
  readonly to: Uint8Array;
  readonly reverse?: boolean;
  /** Largest number of entries to yield. */
  readonly limit?: number;
}

/**
 * An ordered key-value store (bytewise key order) whose batches are atomic and durable. Keys have up to 64 KiB, values
 * up to 64 MiB. Returned values are copies that the caller owns.
 */
export interface KeyValue {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /** Entries of a range in order, over a consistent snapshot taken at the call. */
  entries(range: KeyRange): AsyncIterable<{ key: Uint8Array; value: Uint8Array }>;
  /** Applies all writes or none. They survive a crash once it resolves. */
  write(batch: readonly KeyValueWrite[]): Promise<void>;
  /** Deletes a range of keys, atomically. */
  deleteRange(from: Uint8Array, to: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Opens the store of a name, such as `points/3`, and creates it if it does not exist. */
export type OpenKeyValue = (name: string) => Promise<KeyValue>;
