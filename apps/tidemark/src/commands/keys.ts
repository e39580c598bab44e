import type { ListKeysReply } from '@tidemark/contract';
import { printable } from '@tidemark/model/safe-text';
import { Command, Option } from 'commander';
import type { RemoteOptions } from '../endpoints.ts';
import { type ListFormatOptions, tableJsonOrCsv } from '../format-option.ts';
import { csvOf, tableOf } from '../list-output.ts';
import { print, printError } from '../printable.ts';
import { withPlatform, withRemote } from '../remote.ts';

interface TenantOptions extends RemoteOptions {
  readonly tenant: string;
}

type ListOptions = TenantOptions & ListFormatOptions;

export function keysCommand(): Command {
  const keys = new Command('keys').description('create, revoke and list API keys');
  const tenant = () => new Option('--tenant <name>', 'tenant of the key').default('', 'your own tenant');
  withRemote(keys.command('create'))
    .description('create a key and print it once; an existing key with the same name is replaced')
    .argument('<name>', 'name of the key')
    .addOption(tenant())
    .addOption(
      new Option('--scope <scope...>', 'what the key permits').choices(['send', 'read', 'admin']).makeOptionMandatory(),
    )
    .action((name: string, options: TenantOptions & { scope: string[] }) =>
      withPlatform(options, async (remote) => {
        const request = { tenant: options.tenant, name, scopes: options.scope };
        const { key } = await remote.call(remote.control, remote.control.createKey, request);
        print(key);
        printError('Save this key now: only its hash is stored.');
      }),
    );
  withRemote(keys.command('revoke'))
    .description('revoke a key; later requests with it are refused')
    .argument('<name>', 'name of the key')
    .addOption(tenant())
    .action((name: string, options: TenantOptions) =>
      withPlatform(options, async (remote) => {
        await remote.call(remote.control, remote.control.revokeKey, { tenant: options.tenant, name });
        print(`revoked ${printable(name)}`);
      }),
    );
  withRemote(keys.command('list'))
    .description('list the names and scopes of keys, without the keys')
    .addOption(tenant())
    .addOption(tableJsonOrCsv())
    .action((options: ListOptions) =>
      withPlatform(options, async (remote) => {
        const { keys: found } = await remote.call(remote.control, remote.control.listKeys, { tenant: options.tenant });
        print(keysText(found, options.format));
      }),
    );
  return keys;
}

function keysText(keys: ListKeysReply['keys'], format: ListFormatOptions['format']): string {
  const list = keys.map(({ tenant, name, scopes }) => ({ tenant, name, scopes }));
  if (format === 'json') return JSON.stringify({ keys: list }, undefined, 2);
  const head = ['tenant', 'name', 'scopes'];
  const rows = (between: string) => list.map(({ tenant, name, scopes }) => [tenant, name, scopes.join(between)]);
  if (format === 'csv') return csvOf(head, rows(' '));
  if (list.length === 0) return 'no keys exist: only requests from loopback are accepted, as tenant default';
  return tableOf(head, rows(', '));
}
