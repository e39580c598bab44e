import { readFile } from 'node:fs/promises';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { boundMemory } from '@tidemark/executable/process-memory';

const root = new URL('../../../', import.meta.url);
const cache = fileURLToPath(new URL('node_modules/.cache/tidemark', root));
boundMemory(process, cache);
// Compiled code is reused by the next start.
enableCompileCache(cache);
const { runService, startTagStore } = await import('@tidemark/assembly/processes');
// Written now, because writing it at the end would delay the exit after a stop signal.
flushCompileCache();

await runService({
  name: 'tag-store',
  description: 'stores the series and tags of its partitions and finds the series that a query selects',
  start: startTagStore,
  node: process,
  readFile: (path) => readFile(path),
  root: fileURLToPath(root),
});
