import { Command, CommanderError } from 'commander';
import { startCommand } from './commands/start.ts';
import { explain } from './failure.ts';

const program = new Command('tidemark')
  .description('A metrics platform that knows when it has seen everything.')
  .showHelpAfterError('(add --help for what there is)')
  .addCommand(startCommand());

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) throw error;
  process.stderr.write(`tidemark: ${explain(error)}\n`);
  process.exit(1);
}
