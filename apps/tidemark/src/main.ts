import { Command } from 'commander';
import { metricsCommand, tagsCommand } from './commands/describe.ts';
import { keysCommand, skipCommand, stateHashCommand, statusCommand } from './commands/operate.ts';
import { queryCommand } from './commands/query.ts';
import { sendCommand } from './commands/send.ts';
import { startCommand } from './commands/start.ts';
import { explain } from './failure.ts';

const program = new Command('tidemark')
  .description('A metrics platform that knows when it has seen everything.')
  .showHelpAfterError('(add --help for what there is)')
  .addHelpText(
    'after',
    '\nIn the repository each of these is npm run tidemark -- COMMAND; npm start is npm run tidemark -- start.',
  );
for (const command of [
  startCommand(),
  sendCommand(),
  queryCommand(),
  metricsCommand(),
  tagsCommand(),
  statusCommand(),
  stateHashCommand(),
  skipCommand(),
  keysCommand(),
]) {
  program.addCommand(command.copyInheritedSettings(program));
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`tidemark: ${explain(error)}\n`);
  process.exit(1);
}
