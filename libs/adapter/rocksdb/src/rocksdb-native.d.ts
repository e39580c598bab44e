/** The part of rocksdb-native 3.18 that this library uses; the package has no types of its own. */
declare module 'rocksdb-native' {
  interface RocksDBOptions {
    readOnly?: boolean;
    writeBufferSize?: number;
    maxOpenFiles?: number;
    maxBackgroundJobs?: number;
    blockCache?: boolean;
    tableCacheIndexAndFilterBlocks?: boolean;
  }

  interface WriteBatch {
    tryPut(key: Uint8Array, value: Uint8Array): void;
    tryDelete(key: Uint8Array): void;
    tryDeleteRange(from: Uint8Array, to: Uint8Array): void;
    flush(): Promise<void>;
    destroy(): void;
  }

  interface ReadBatch {
    get(key: Uint8Array): Promise<Uint8Array | null>;
    tryFlush(): void;
  }

  interface Range {
    gt?: Uint8Array;
    gte?: Uint8Array;
    lt?: Uint8Array;
  }

  class RocksDB {
    constructor(path: string, options?: RocksDBOptions);
    ready(): Promise<void>;
    close(): Promise<void>;
    /** A session over a snapshot of the current state; the caller must close it. */
    snapshot(): RocksDB;
    get(key: Uint8Array): Promise<Uint8Array | null>;
    read(options: { capacity: number; autoDestroy: boolean }): ReadBatch;
    write(options: { capacity: number }): WriteBatch;
    iterator(
      range: Range,
      options: { reverse: boolean; limit: number; capacity: number },
    ): AsyncIterable<{ key: Uint8Array; value: Uint8Array }>;
    approximateSize(from: Uint8Array, to: Uint8Array, options: { includeMemtables: boolean }): Promise<number | bigint>;
    /** Makes tables of what is in memory. */
    flush(): Promise<void>;
    currentWalFile(): Promise<{ number: number }>;
    /** Value of a property of the database; null for one that does not exist. */
    getProperty(name: string): Promise<string | null | undefined>;
  }

  export = RocksDB;
}
