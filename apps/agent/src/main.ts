import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// What is compiled once is there for the next start. Where the folder can't be written Node goes on without.
enableCompileCache(fileURLToPath(new URL('../../../node_modules/.cache/tidemark', import.meta.url)));
const { runAgent } = await import('./agent-command.ts');

await runAgent();
