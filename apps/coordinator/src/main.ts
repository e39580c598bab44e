import { readFile } from 'node:fs/promises';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);
// What is compiled once is there for the next start.
enableCompileCache(fileURLToPath(new URL('node_modules/.cache/tidemark', root)));
const { runService, startCoordinator } = await import('@tidemark/assembly/processes');
// Now: at the end of the process it would hold up the exit of one that was told to stop.
flushCompileCache();

await runService({
  name: 'coordinator',
  description: 'makes the topics, and decides what one must decide: maps, fences, skips, budgets, keys',
  start: startCoordinator,
  node: process,
  readFile: (path) => readFile(path),
  root: fileURLToPath(root),
});
