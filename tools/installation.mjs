// Installs the packages of package-lock.json at one of two levels: `run` is what `npm start` needs, with the tools that
// build the page; `full` adds the tools for tests and a browser. Plain JavaScript for any Node from 18 on.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LEVELS = {
  run: { flag: '--omit=dev', shown: 'installing dependencies (once; about half a minute)' },
  full: { flag: '--include=dev', shown: 'installing all dependencies (once; about a minute)' },
};
/** A package of level `full` only: if it exists, that level was installed. */
const MARK_OF_FULL = 'jest';

/** Installs `level` in the clone `root` unless it is installed. Never removes packages of level `full`. */
export function install(root, level, npm = runNpm) {
  const modules = join(root, 'node_modules');
  const stamp = join(modules, '.tidemark-installed');
  const lock = sha256(readFileSync(join(root, 'package-lock.json')));
  const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  const wanted = existsSync(join(modules, MARK_OF_FULL)) ? 'full' : level;
  if ([`full ${lock}`, `${wanted} ${lock}`].includes(installed)) return;
  const record = () => writeFileSync(stamp, `${wanted} ${lock}`);
  if (hasAll(root, wanted)) {
    deleteUnused(modules, `${process.platform}-${process.arch}`);
    record();
    return;
  }
  const { flag, shown } = LEVELS[wanted];
  console.error(`tidemark: ${shown}`);
  // Not `npm ci`: it wants every platform's optional packages in the lockfile, and a registry need not have them all.
  const { status } = npm(
    ['install', flag, '--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--progress'],
    root,
  );
  if (status !== 0) {
    console.error('tidemark: npm install failed; see above');
    process.exit(status ?? 1);
  }
  deleteUnused(modules, `${process.platform}-${process.arch}`);
  record();
  console.error('tidemark: dependencies installed');
}

/**
 * Returns true when npm has installed every package that `level` needs, as after `npm install` by hand. npm itself lists
 * what it has installed in `node_modules/.package-lock.json`. Optional packages may be for another platform.
 */
function hasAll(root, level) {
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  const wanted = packagesOf(join(root, 'package-lock.json'));
  if (installed === undefined || wanted === undefined) return false;
  return Object.entries(wanted).every(([path, { version, link, optional, dev, devOptional }]) => {
    const isLeftOut = optional || (level === 'run' && (dev || devOptional));
    if (!path.startsWith('node_modules/') || isLeftOut) return true;
    const found = installed[path];
    return found !== undefined && found.version === version && found.link === link;
  });
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * Deletes binaries for platforms other than `platform` from packages that have them in `prebuilds` (rocksdb-native: 140
 * of 161 MB), and the C headers and manuals of Node (67 MB). node_modules can't be moved to another platform anyway,
 * because the package `node` is for one platform. A package without a binary for this platform keeps all.
 */
export function deleteUnused(modules, platform) {
  for (const name of readdirSync(modules)) {
    const prebuilds = join(modules, name, 'prebuilds');
    if (!existsSync(join(prebuilds, platform))) continue;
    for (const folder of readdirSync(prebuilds)) {
      // linux-x64-musl is kept with linux-x64.
      if (!`${folder}-`.startsWith(`${platform}-`)) rmSync(join(prebuilds, folder), { recursive: true });
    }
  }
  const inNode = join(modules, 'node', 'node_modules');
  for (const name of existsSync(inNode) ? readdirSync(inNode) : []) {
    if (!name.startsWith('node-')) continue;
    for (const part of ['include', 'share']) rmSync(join(inNode, name, part), { recursive: true, force: true });
  }
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

function runNpm(args, root) {
  const script = process.env.npm_execpath;
  const options = { cwd: root, stdio: ['ignore', 2, 2] };
  if (script !== undefined && /\.c?js$/.test(script)) return spawnSync(process.execPath, [script, ...args], options);
  return spawnSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, options);
}
