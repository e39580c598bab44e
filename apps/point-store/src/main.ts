import { readFile } from 'node:fs/promises';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);
// What is compiled once is there for the next start.
enableCompileCache(fileURLToPath(new URL('node_modules/.cache/tidemark', root)));
const { runService, startPointStore } = await import('@tidemark/assembly/processes');
// Now: at the end of the process it would hold up the exit of one that was told to stop.
flushCompileCache();

await runService({
  name: 'point-store',
  description: 'keeps the points of some partitions, and folds them for queries',
  start: startPointStore,
  node: process,
  readFile: (path) => readFile(path),
  root: fileURLToPath(root),
});
