import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { boundMemory } from '@tidemark/executable/process-memory';

const cache = fileURLToPath(new URL('../../../node_modules/.cache/tidemark', import.meta.url));
boundMemory(process, cache);
// Compiled code is reused by the next start. Node continues without the cache when the folder can't be written.
enableCompileCache(cache);
const { runAgent } = await import('./agent-command.ts');

await runAgent();
