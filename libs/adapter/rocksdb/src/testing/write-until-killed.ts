/** Writes batches to the database at argv[2] and prints the number of each once it is resolved, until it is killed. */
import { writeSync } from 'node:fs';
import { openRocksDb } from '../index.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const store = await openRocksDb(process.argv[2], { writeBufferBytes: 1_048_576 });
for (let i = 0; ; i++) {
  await store.write([
    { key: bytes('first'), value: bytes(String(i)) },
    { key: bytes(`batch/${i}`), value: new Uint8Array(10_000) },
    { key: bytes('second'), value: bytes(String(i)) },
  ]);
  writeSync(1, `${i}\n`);
}
