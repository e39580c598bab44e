import { Command } from 'commander';
import { catCommand } from './segment-cat.ts';
import { exportCommand } from './segment-export.ts';
import { listCommand } from './segment-ls.ts';
import { verifyCommand } from './segment-verify.ts';

/** Commands that read the archived days in the object store. They need no running platform, and write nothing to it. */
export function segmentCommand(): Command {
  return new Command('segment')
    .description('list, print, export and verify the archived days in the object store')
    .addCommand(listCommand())
    .addCommand(catCommand())
    .addCommand(exportCommand())
    .addCommand(verifyCommand());
}
