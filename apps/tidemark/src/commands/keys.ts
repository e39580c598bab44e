import Table from 'cli-table3';
import { Command, Option } from 'commander';
import type { RemoteOptions } from '../doors.ts';
import { print, printable, printError } from '../printable.ts';
import { withPlatform, withRemote } from '../remote.ts';

const STYLE = { head: [], border: [], compact: true };

interface TenantOptions extends RemoteOptions {
  readonly tenant: string;
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
