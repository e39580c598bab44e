// `npm pack --workspace @tidemark/client`: npm packs the folder as it is, so for that moment the folder gets the
// manifest, the README and the code of the package, and the workspace's own files come back afterwards.
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildClient, clientManifest } from './client-package.ts';
import { copyLicence, LICENCE_FILES } from './licence.ts';
import { packedReadme } from './packed-readme.ts';
import { root } from './root.ts';

const folder = join(root, 'libs/collect/client');
const manifest = join(folder, 'package.json');
const readme = join(folder, 'README.md');

/** Turns the client's folder into the package. Undoes the changes of an interrupted run first. */
export async function beforePack(): Promise<void> {
  afterPack();
  const packages = await buildClient(join(folder, 'dist'));
  const packed = clientManifest(packages);
  copyLicence(folder);
  for (const file of [manifest, readme]) copyFileSync(file, keptOf(file));
  writeFileSync(manifest, `${JSON.stringify(packed, undefined, 2)}\n`);
  writeFileSync(readme, packedReadme(readFileSync(readme, 'utf8')));
}

/** Turns the client's folder into a workspace again. */
export function afterPack(): void {
  for (const file of [manifest, readme]) if (existsSync(keptOf(file))) renameSync(keptOf(file), file);
  for (const name of LICENCE_FILES) rmSync(join(folder, name), { force: true });
}

/** The copy of a file of the workspace. npm packs every file whose name begins with README, so the name does not. */
function keptOf(file: string): string {
  return join(folder, `workspace.${basename(file)}`);
}
