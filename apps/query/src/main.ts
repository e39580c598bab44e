import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);
// What is compiled once is there for the next start.
enableCompileCache(fileURLToPath(new URL('node_modules/.cache/tidemark', root)));
const { runService, startQuery } = await import('@tidemark/assembly/processes');
// Now: at the end of the process it would hold up the exit of one that was told to stop.
flushCompileCache();

await runService({
  name: 'query',
  description: 'answers queries over all stores: HTTP, the page and gRPC',
  start: startQuery,
  node: process,
  readFile: (path) => readFile(path),
  root: fileURLToPath(root),
  hasPage: existsSync(new URL('apps/page/dist', root)),
});
