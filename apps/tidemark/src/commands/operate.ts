import Table from 'cli-table3';
import { Command, InvalidArgumentError, Option } from 'commander';
import { print, printable, printError } from '../printable.ts';
import { type RemoteOptions, withPlatform, withRemote } from '../remote.ts';
import { formatStatus } from '../status-output.ts';

const STYLE = { head: [], border: [], compact: true };

interface FormatOptions extends RemoteOptions {
  readonly format: 'table' | 'json';
}

interface TenantOptions extends RemoteOptions {
  readonly tenant: string;
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

export function keysCommand(): Command {
  const keys = new Command('keys').description('create, revoke and list keys');
  const tenant = ['--tenant <name>', 'whose key; your own tenant when left out', ''] as const;
  withRemote(keys.command('create'))
    .description('create a key and print it; it is shown once only, and replaces one of the same name')
    .argument('<name>')
    .option(...tenant)
    .addOption(
      new Option('--scope <scope...>', 'what it may do').choices(['send', 'read', 'admin']).makeOptionMandatory(),
    )
    .action((name: string, options: TenantOptions & { scope: string[] }) =>
      withPlatform(options, async (remote) => {
        const request = { tenant: options.tenant, name, scopes: options.scope };
        const { key } = await remote.call(remote.control, remote.control.createKey, request);
        print(key);
        printError('Keep it: only its hash is stored.');
      }),
    );
  withRemote(keys.command('revoke'))
    .description('revoke a key; what uses it is refused from then on')
    .argument('<name>')
    .option(...tenant)
    .action((name: string, options: TenantOptions) =>
      withPlatform(options, async (remote) => {
        await remote.call(remote.control, remote.control.revokeKey, { tenant: options.tenant, name });
        print(`revoked ${printable(name)}`);
      }),
    );
  withRemote(keys.command('list'))
    .description('list keys by name, never the keys themselves')
    .option(...tenant)
    .action((options: TenantOptions) =>
      withPlatform(options, async (remote) => {
        const { keys: found } = await remote.call(remote.control, remote.control.listKeys, { tenant: options.tenant });
        const table = new Table({ head: ['tenant', 'name', 'scopes'], style: STYLE });
        for (const { tenant: owner, name, scopes } of found) {
          table.push([printable(owner), printable(name), scopes.join(', ')]);
        }
        print(found.length === 0 ? 'no keys: only loopback is served, as tenant default' : table.toString());
      }),
    );
  return keys;
}

function formatOption(): Option {
  return new Option('--format <format>', 'how to print it').choices(['table', 'json']).default('table');
}

function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a whole number is needed.');
}
