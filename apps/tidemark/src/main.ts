import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { boundMemory } from '@tidemark/executable/process-memory';
import type { Command } from 'commander';

const cache = fileURLToPath(new URL('../../../node_modules/.cache/tidemark', import.meta.url));
// Before anything else is loaded, since it may start the program again.
if (process.argv[2] === 'start') boundMemory(process, cache);
// Compiled code is reused by the next start. Node continues without the cache when the folder can't be written.
enableCompileCache(cache);

const { explain } = await import('@tidemark/executable');
const { printableLines } = await import('@tidemark/model/safe-text');
const commander = await import('commander');

/** Commands, each loaded on demand: most need only a small part of the platform's code. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./commands/start.ts')).startCommand(),
  send: async () => (await import('./commands/send.ts')).sendCommand(),
  query: async () => (await import('./commands/query.ts')).queryCommand(),
  metrics: async () => (await import('./commands/describe.ts')).metricsCommand(),
  metric: async () => (await import('./commands/metric.ts')).metricCommand(),
  tags: async () => (await import('./commands/describe.ts')).tagsCommand(),
  status: async () => (await import('./commands/status.ts')).statusCommand(),
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  'state-hash': async () => (await import('./commands/state-hash.ts')).stateHashCommand(),
  skip: async () => (await import('./commands/skip.ts')).skipCommand(),
  segment: async () => (await import('./commands/segment.ts')).segmentCommand(),
  snapshot: async () => (await import('./commands/snapshot.ts')).snapshotCommand(),
  keys: async () => (await import('./commands/keys.ts')).keysCommand(),
};
const HELP = `
In the repository, run npm run tidemark -- COMMAND. npm start runs npm run tidemark -- start.`;

const program = new commander.Command('tidemark')
  .description('A metrics platform that knows when it has seen everything.')
  .showHelpAfterError('(use --help for usage)')
  .addHelpText('after', HELP);
const asked = COMMANDS[process.argv[2] ?? ''];
for (const load of asked === undefined ? Object.values(COMMANDS) : [asked]) {
  const command = (await load()).copyInheritedSettings(program);
  for (const subcommand of command.commands) subcommand.copyInheritedSettings(program);
  program.addCommand(command);
}

// Timers of the system's clock don't keep a process alive, but a command that waits for one must finish.
const alive = setInterval(() => undefined, 60_000);
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(printableLines(`tidemark: ${explain(error)}\n`));
  process.exit(1);
} finally {
  clearInterval(alive);
}
