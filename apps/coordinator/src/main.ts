import { readFile } from 'node:fs/promises';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { boundMemory } from '@tidemark/executable/process-memory';

const root = new URL('../../../', import.meta.url);
const cache = fileURLToPath(new URL('node_modules/.cache/tidemark', root));
boundMemory(process, cache);
// Compiled code is reused by the next start.
enableCompileCache(cache);
const { runService, startCoordinator } = await import('@tidemark/assembly/processes');
// Written now, because writing it at the end would delay the exit after a stop signal.
flushCompileCache();

await runService({
  name: 'coordinator',
  description: 'creates the topics and makes the decisions of the whole cluster: maps, fences, skips, budgets, keys',
  start: startCoordinator,
  node: process,
  readFile: (path) => readFile(path),
  root: fileURLToPath(root),
});
