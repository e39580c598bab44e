// Installs a tarball of `npm run pack` into a project as npm would, without a registry.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './root.ts';

/** Packs `name` into `folder`; returns the path of the tarball. */
export function pack(name: string, folder: string): string {
  const args = [join(root, 'tools/pack.mjs'), name, '--out', folder];
  const output = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return output.trim().split('\n').at(-1) ?? '';
}

/**
 * Installs `tarball` into `project`. Its declared dependencies are links to the versions of this repository; undeclared
 * ones are not found.
 */
export function installPacked(tarball: string, project: string): void {
  const modules = join(project, 'node_modules');
  mkdirSync(modules, { recursive: true });
  const manifest = JSON.parse(execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' }));
  const folder = join(modules, manifest.name);
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
  for (const name of Object.keys(manifest.dependencies)) link(name, modules);
}

/** Links package `name` of this repository into `modules`, the `node_modules` of a project. */
export function link(name: string, modules: string): void {
  if (existsSync(join(modules, name))) return;
  mkdirSync(dirname(join(modules, name)), { recursive: true });
  symlinkSync(join(root, 'node_modules', name), join(modules, name), 'dir');
}
