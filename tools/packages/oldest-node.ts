// Finds the oldest Node of this machine that the packed client supports. The project's own is newer than most users'.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root } from './root.ts';

const MIN_MAJOR = 20;
const PROGRAM = process.platform === 'win32' ? 'node.exe' : 'node';

/** Returns path and version of the oldest Node on PATH from 20 on, including that of this process. */
export function oldestNode(): { readonly path: string; readonly version: string } {
  const found = new Map([[process.versions.node, process.execPath]]);
  for (const folder of new Set((process.env.PATH ?? '').split(delimiter))) {
    const path = join(folder, PROGRAM);
    if (folder === '' || folder.startsWith(join(root, 'node_modules')) || !existsSync(path)) continue;
    const { status, stdout } = spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' });
    const version = stdout?.trim();
    if (status === 0 && majorOf(version) >= MIN_MAJOR) found.set(version, path);
  }
  const [[version, path]] = [...found].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  return { path, version };
}

function majorOf(version: string): number {
  return Number(version.split('.')[0]);
}
