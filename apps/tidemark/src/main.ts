import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { explain } from '@tidemark/executable';
import { Command } from 'commander';

// What is compiled once is there for the next start. Where the folder can't be written Node goes on without.
enableCompileCache(fileURLToPath(new URL('../../../node_modules/.cache/tidemark', import.meta.url)));

/** Each command is loaded when it is asked for: those that ask a platform need little of what one is made of. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./commands/start.ts')).startCommand(),
  send: async () => (await import('./commands/send.ts')).sendCommand(),
  query: async () => (await import('./commands/query.ts')).queryCommand(),
  metrics: async () => (await import('./commands/describe.ts')).metricsCommand(),
  tags: async () => (await import('./commands/describe.ts')).tagsCommand(),
  status: async () => (await import('./commands/operate.ts')).statusCommand(),
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  'state-hash': async () => (await import('./commands/operate.ts')).stateHashCommand(),
  skip: async () => (await import('./commands/operate.ts')).skipCommand(),
  keys: async () => (await import('./commands/keys.ts')).keysCommand(),
};
const HELP = `
In the repository each of these is npm run tidemark -- COMMAND; npm start is npm run tidemark -- start.`;

const program = new Command('tidemark')
  .description('A metrics platform that knows when it has seen everything.')
  .showHelpAfterError('(add --help for what there is)')
  .addHelpText('after', HELP);
const asked = COMMANDS[process.argv[2] ?? ''];
for (const load of asked === undefined ? Object.values(COMMANDS) : [asked]) {
  program.addCommand((await load()).copyInheritedSettings(program));
}

// Timers of the system's clock don't keep a process alive; a command that waits for one has to end nevertheless.
const alive = setInterval(() => undefined, 60_000);
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`tidemark: ${explain(error)}\n`);
  process.exit(1);
} finally {
  clearInterval(alive);
}
