// The npm packages of the platform (`tidemark`) and of the agent (`@tidemark/agent-app`): bundled JavaScript with a command.
// The folders are those of the repository, as the programs find the contracts and the page relative to themselves.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleCode, installedVersionsOf } from './bundle.ts';
import { copyLicence } from './licence.ts';
import { root } from './root.ts';

/** The versions that @platformatic/kafka supports: the highest minimum among the dependencies. */
const ENGINES = { node: '^22.22.0 || >=24.6.0' };

/** Optional package: it is compiled during installation, which fails on some machines. */
const OPTIONAL = 'unix-dgram';

interface Program {
  readonly name: string;
  readonly description: string;
  /** The folder below `apps/`. */
  readonly app: string;
  readonly command: string;
}

/** Writes the package of the platform, with its page and its contracts, into `folder`. */
export async function writePlatformPackage(folder: string): Promise<void> {
  const description = 'A metrics platform that knows when it has seen everything';
  await writeProgram(folder, { name: 'tidemark', description, app: 'tidemark', command: 'tidemark' });
  cpSync(join(root, 'proto'), join(folder, 'proto'), { recursive: true });
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const page = join(folder, 'apps/page/dist');
  execFileSync(process.execPath, [vite, 'build', '--outDir', page, '--emptyOutDir', '--logLevel', 'error'], {
    cwd: join(root, 'apps/page'),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Writes the package of the agent into `folder`. */
export async function writeAgentPackage(folder: string): Promise<void> {
  const description = 'Collects metrics on a host and sends them to Tidemark';
  await writeProgram(folder, { name: '@tidemark/agent-app', description, app: 'agent', command: 'tidemark-agent' });
}

async function writeProgram(folder: string, { name, description, app, command }: Program): Promise<void> {
  const output = `apps/${app}/dist`;
  const packages = await bundleCode({
    input: { main: `apps/${app}/src/main.ts` },
    folder: join(folder, output),
    format: 'es',
    target: 'node22',
    isProgram: true,
  });
  const { version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const manifest = {
    name,
    version,
    description,
    license,
    type: 'module',
    bin: { [command]: `./${output}/main.js` },
    engines: ENGINES,
    dependencies: installedVersionsOf(packages.filter((name) => name !== OPTIONAL)),
    peerDependencies: { [OPTIONAL]: '^2.0.7' },
    peerDependenciesMeta: { [OPTIONAL]: { optional: true } },
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  writeFileSync(join(folder, 'README.md'), `# ${name}\n\n${description}: \`${command} --help\` lists its options.\n`);
  copyLicence(folder);
}
