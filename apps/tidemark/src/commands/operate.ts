import Table from 'cli-table3';
import { Command, Option } from 'commander';
import type { RemoteOptions } from '../endpoints.ts';
import { print } from '../printable.ts';
import { withPlatform, withRemote } from '../remote.ts';
import { formatStatus } from '../status-output.ts';
import { wholeNumber } from '../whole-number.ts';

const STYLE = { head: [], border: [], compact: true };

interface FormatOptions extends RemoteOptions {
  readonly format: 'table' | 'json';
}

export function statusCommand(): Command {
  return withRemote(new Command('status'))
    .description('show the position of each partition, the senders, and what delays completeness')
    .addOption(formatOption())
    .action((options: FormatOptions) =>
      withPlatform(options, async (remote) => {
        const status = await remote.call(remote.query, remote.query.status, {});
        print(options.format === 'json' ? JSON.stringify(status, undefined, 2) : formatStatus(status));
        if (status.errors.length > 0) process.exitCode = 1;
      }),
    );
}

export function stateHashCommand(): Command {
  return withRemote(new Command('state-hash'))
    .description('print a hash of the logical state of each partition; equal prefixes of the log give equal hashes')
    .addOption(formatOption())
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

export function skipCommand(): Command {
  return withRemote(new Command('skip'))
    .description('skip the record that halted a partition; the data in that record is lost and shown as a gap')
    .argument('<topic>', 'points or tags')
    .argument('<partition>', 'number of the partition', wholeNumber)
    .argument('<offset>', 'offset of the record, from tidemark status', wholeNumber)
    .requiredOption('--reason <text>', 'reason, shown with the gap')
    .action((topic: string, partition: number, offset: number, options: RemoteOptions & { reason: string }) =>
      withPlatform(options, async (remote) => {
        const request = { topic, partition, offset, reason: options.reason };
        await remote.call(remote.control, remote.control.skip, request);
        print(`${topic}/${partition} continues after offset ${offset}; tidemark status shows the gap`);
      }),
    );
}

function formatOption(): Option {
  return new Option('--format <format>', 'output format').choices(['table', 'json']).default('table');
}
