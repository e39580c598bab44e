import { printable } from '@tidemark/model/safe-text';
import Table from 'cli-table3';
import { Command, Option } from 'commander';
import type { RemoteOptions } from '../endpoints.ts';
import { print, printError } from '../printable.ts';
import { withPlatform, withRemote } from '../remote.ts';

const STYLE = { head: [], border: [], compact: true };

interface TenantOptions extends RemoteOptions {
  readonly tenant: string;
}

export function keysCommand(): Command {
  const keys = new Command('keys').description('create, revoke and list API keys');
  const tenant = ['--tenant <name>', 'tenant of the key; default: your own tenant', ''] as const;
  withRemote(keys.command('create'))
    .description('create a key and print it once; an existing key with the same name is replaced')
    .argument('<name>', 'name of the key')
    .option(...tenant)
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
    .option(...tenant)
    .action((name: string, options: TenantOptions) =>
      withPlatform(options, async (remote) => {
        await remote.call(remote.control, remote.control.revokeKey, { tenant: options.tenant, name });
        print(`revoked ${printable(name)}`);
      }),
    );
  withRemote(keys.command('list'))
    .description('list the names and scopes of keys, without the keys')
    .option(...tenant)
    .action((options: TenantOptions) =>
      withPlatform(options, async (remote) => {
        const { keys: found } = await remote.call(remote.control, remote.control.listKeys, { tenant: options.tenant });
        const table = new Table({ head: ['tenant', 'name', 'scopes'], style: STYLE });
        for (const { tenant: owner, name, scopes } of found) {
          table.push([printable(owner), printable(name), scopes.join(', ')]);
        }
        print(
          found.length === 0
            ? 'no keys exist: only requests from loopback are accepted, as tenant default'
            : table.toString(),
        );
      }),
    );
  return keys;
}
