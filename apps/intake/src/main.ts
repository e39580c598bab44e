import { readFile } from 'node:fs/promises';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);
// What is compiled once is there for the next start.
enableCompileCache(fileURLToPath(new URL('node_modules/.cache/tidemark', root)));
const { runService, startIntake } = await import('@tidemark/assembly/processes');
// Now: at the end of the process it would hold up the exit of one that was told to stop.
flushCompileCache();

await runService({
  name: 'intake',
  description: 'takes points over gRPC and HTTP, and puts them into the log',
  start: startIntake,
  node: process,
  readFile: (path) => readFile(path),
  root: fileURLToPath(root),
});
