import Table from 'cli-table3';
import { Command } from 'commander';
import { type FormatOptions, tableOrJson } from '../format-option.ts';
import { print } from '../printable.ts';
import { withPlatform, withRemote } from '../remote.ts';

const STYLE = { head: [], border: [], compact: true };

export function stateHashCommand(): Command {
  return withRemote(new Command('state-hash'))
    .description('print a hash of the logical state of each partition; equal prefixes of the log give equal hashes')
    .addOption(tableOrJson())
    .action((options: FormatOptions) =>
      withPlatform(options, async (remote) => {
        const { partitions } = await remote.call(remote.control, remote.control.stateHash, {});
        const table = new Table({
          head: ['partition', 'points offset', 'points', 'tags offset', 'tags'],
          style: STYLE,
        });
        for (const { partition, pointsOffset, pointsHash, tagsOffset, tagsHash } of partitions) {
          table.push([partition, pointsOffset, pointsHash, tagsOffset, tagsHash]);
        }
        print(options.format === 'json' ? JSON.stringify(partitions, undefined, 2) : table.toString());
      }),
    );
}
