import Table from 'cli-table3';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { RemoteOptions } from '../doors.ts';
import { print } from '../printable.ts';
import { withPlatform, withRemote } from '../remote.ts';
import { formatStatus } from '../status-output.ts';

const STYLE = { head: [], border: [], compact: true };

interface FormatOptions extends RemoteOptions {
  readonly format: 'table' | 'json';
}

export function statusCommand(): Command {
  return withRemote(new Command('status'))
    .description('where every partition stands, who sends, and what holds completeness back')
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
    .description('print the logical state of each partition as a hash: equal after equal prefixes of the log')
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
    .description(
      'let a halted partition pass the record that halted it; what is in the record is lost, and shown as a gap',
    )
    .argument('<topic>', 'points or tags')
    .argument('<partition>', 'its number', wholeNumber)
    .argument('<offset>', 'of the record, as tidemark status names it', wholeNumber)
    .requiredOption('--reason <text>', 'why, for those who meet the gap later')
    .action((topic: string, partition: number, offset: number, options: RemoteOptions & { reason: string }) =>
      withPlatform(options, async (remote) => {
        const request = { topic, partition, offset, reason: options.reason };
        await remote.call(remote.control, remote.control.skip, request);
        print(`${topic}/${partition} goes on after offset ${offset}; tidemark status shows the gap`);
      }),
    );
}

function formatOption(): Option {
  return new Option('--format <format>', 'how to print it').choices(['table', 'json']).default('table');
}

function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a whole number is needed.');
}
