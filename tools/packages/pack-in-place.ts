// `npm pack --workspace @tidemark/client`: npm packs the folder as it is, so for that moment the folder gets the
// manifest and the code of the package, and the workspace's own manifest comes back afterwards.
import { copyFileSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { licenceFile } from './bundle.ts';
import { buildClient, clientManifest } from './client-package.ts';
import { root } from './root.ts';

const folder = join(root, 'libs/collect/client');
const manifest = join(folder, 'package.json');
const kept = join(folder, 'package.json.workspace');

/** Turns the client's folder into the package. Undoes the changes of an interrupted run first. */
export async function beforePack(): Promise<void> {
  afterPack();
  const packages = await buildClient(join(folder, 'dist'));
  const packed = clientManifest(packages);
  const licence = licenceFile();
  if (licence !== undefined) copyFileSync(licence, join(folder, 'LICENSE'));
  copyFileSync(manifest, kept);
  writeFileSync(manifest, `${JSON.stringify(packed, undefined, 2)}\n`);
}

/** Turns the client's folder into a workspace again. */
export function afterPack(): void {
  if (existsSync(kept)) renameSync(kept, manifest);
  rmSync(join(folder, 'LICENSE'), { force: true });
}
