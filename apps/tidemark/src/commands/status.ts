import { Command } from 'commander';
import { type FormatOptions, tableOrJson } from '../format-option.ts';
import { print } from '../printable.ts';
import { withPlatform, withRemote } from '../remote.ts';
import { statusJson } from '../status-json.ts';
import { formatStatus } from '../status-output.ts';

export function statusCommand(): Command {
  return withRemote(new Command('status'))
    .description('show the position of each partition, the senders, and what delays completeness')
    .addOption(tableOrJson())
    .action((options: FormatOptions) =>
      withPlatform(options, async (remote) => {
        const status = await remote.call(remote.query, remote.query.status, {});
        print(options.format === 'json' ? statusJson(status) : formatStatus(status));
        if (status.errors.length > 0) process.exitCode = 1;
      }),
    );
}
