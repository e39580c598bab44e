import { below, type Disk, type Random } from '@tidemark/ports';
import type { Checkpoint, CheckpointFile } from '../index.ts';

const MAX_TABLE_BYTES = 300;

/** Files of a database that writes, compacts, and has a manifest and `CURRENT` as RocksDB does. */
export class ModelDatabase {
  readonly #random: Random;
  readonly #id: string;
  #files = new Map<string, Uint8Array>();
  #next = 1;

  constructor(id: string, random: Random) {
    this.#id = id;
    this.#random = random;
  }

  /** Adds a table, and replaces some by a compaction. */
  change(): void {
    const tables = [...this.#files].filter(([name]) => name.endsWith('.sst'));
    for (const [name] of tables) if (tables.length > 3 && this.#random.next() < 0.5) this.#files.delete(name);
    const number = this.#next++;
    this.#files.set(`00000${number}.sst`, this.#random.bytes(below(this.#random, MAX_TABLE_BYTES)));
    for (const name of this.#files.keys()) if (name.startsWith('MANIFEST')) this.#files.delete(name);
    this.#files.set(`MANIFEST-${number}`, this.#random.bytes(20));
    this.#files.set('CURRENT', Buffer.from(`MANIFEST-${number}\n`));
  }

  /** The content of each file. */
  get content(): Map<string, string> {
    return new Map([...this.#files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')]));
  }

  async checkpoint(disk: Disk, folder: string): Promise<Checkpoint> {
    const files: CheckpointFile[] = [];
    for (const [name, bytes] of this.#files) {
      const file = await disk.open(`${folder}/${name}`, { create: true });
      await file.write(bytes, 0);
      await file.close();
      files.push({ name, bytes: bytes.length, isTable: name.endsWith('.sst') });
    }
    return { disk, folder, files, database: this.#id, verifyTables: async () => undefined };
  }
}

/** The content of each file of a folder. */
export async function contentOf(disk: Disk, folder: string): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  for (const name of await disk.list(folder)) {
    const file = await disk.open(`${folder}/${name}`);
    const bytes = Buffer.alloc(await file.sizeBytes());
    await file.read(bytes, 0);
    await file.close();
    content.set(name, bytes.toString('hex'));
  }
  return content;
}
