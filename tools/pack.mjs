// Packs the packages for users of Tidemark into npm tarballs: `npm run pack -- client`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { writeClientPackage } from './packages/client-package.ts';
import { afterPack, beforePack } from './packages/pack-in-place.ts';
import { writeAgentPackage, writePlatformPackage } from './packages/program-packages.ts';
import { root } from './packages/root.ts';
import { programOptions, refuseOptions } from './program-options.ts';

const PACKAGES = { client: writeClientPackage, agent: writeAgentPackage, tidemark: writePlatformPackage };
const HELP = `Usage: npm run pack -- [${Object.keys(PACKAGES).join('|')}]... [--out FOLDER]

Builds and packs the named packages, or all of them, and prints the path of each tarball.

  --out FOLDER  folder of the tarballs; default dist/packages
  --prepack     prepare the client's folder for npm pack --workspace @tidemark/client, which calls it
  --postpack    make that folder a workspace again
  --help        show this`;

const flag = { type: 'boolean' };
const { values, positionals } = programOptions(
  { help: HELP },
  { allowPositionals: true, options: { out: { type: 'string' }, prepack: flag, postpack: flag } },
);
if (values.prepack || values.postpack) {
  if (values.prepack) await beforePack();
  else afterPack();
  process.exit(0);
}
const names = positionals.length > 0 ? positionals : Object.keys(PACKAGES);
const unknown = names.find((name) => !(name in PACKAGES));
if (unknown !== undefined) {
  refuseOptions(`unknown package ${unknown} (one of: ${Object.keys(PACKAGES).join(', ')})`, HELP);
}
const out = resolve(values.out ?? join(root, 'dist/packages'));
mkdirSync(out, { recursive: true });
for (const name of names) console.log(await pack(name));

async function pack(name) {
  const folder = mkdtempSync(join(tmpdir(), `tidemark-pack-${name}-`));
  try {
    await PACKAGES[name](folder);
    const said = execFileSync('npm', ['pack', '--json', '--pack-destination', out], { cwd: folder, encoding: 'utf8' });
    const packed = Object.values(JSON.parse(said))[0];
    return join(out, packed.filename);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
