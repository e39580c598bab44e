/**
 * Opens the database named by the worker's data, writes and counts 1,000 entries, and posts the count or the error's
 * code.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { isTidemarkError } from '@tidemark/ports';
import { openRocksDb } from '../index.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
try {
  const store = await openRocksDb(workerData);
  await store.write(Array.from({ length: 1_000 }, (_, i) => ({ key: bytes(`k${i}`), value: bytes(String(i)) })));
  let count = 0;
  for await (const _ of store.entries({ from: bytes('k'), to: bytes('l') })) count++;
  await store.close();
  parentPort?.postMessage(String(count));
} catch (error) {
  parentPort?.postMessage(isTidemarkError(error) ? error.code : String(error));
}
