/** Writes to a database at argv[2], and prints the number of each write once it is resolved; flushes in between. */
import { writeSync } from 'node:fs';
import { openRocksDb } from '../index.ts';

const store = await openRocksDb(process.argv[2], { writeBufferBytes: 1_048_576 });
for (let i = 0; i < 12; i++) {
  await store.write([{ key: new TextEncoder().encode(`k${i}`), value: new Uint8Array(200_000).fill(i + 1) }]);
  writeSync(1, `${i}\n`);
  if (i === 5) {
    await store.flush();
    writeSync(1, 'flushed\n');
  }
}
await store.close();
