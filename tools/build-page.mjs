// Builds the page into apps/page/dist with vite, unless the existing build has the same inputs.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const page = join(root, 'apps', 'page');
/** In dist, which vite empties: a manual build deletes the stamp. */
const stamp = join(page, 'dist', '.inputs');

const inputs = hashOf([join(root, 'package-lock.json'), join(root, 'tsconfig.base.json'), ...sourcesOf(page)]);
if (existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) process.exit(0);

const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
const { status } = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'warn'], {
  cwd: page,
  stdio: 'inherit',
  env: { ...process.env, NODE_ENV: 'production' },
});
if (status === 0) writeFileSync(stamp, inputs);
process.exit(status ?? 1);

/** Lists the files of the package and of all packages of the project that it depends on, at any depth. */
function sourcesOf(folder, seen = new Set()) {
  if (seen.has(folder)) return [];
  seen.add(folder);
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const own = Object.keys(dependencies).filter((name) => name.startsWith('@tidemark/'));
  return [...filesIn(folder), ...own.flatMap((name) => sourcesOf(join(root, 'node_modules', name), seen))];
}

function filesIn(path) {
  if (!statSync(path).isDirectory()) return path.endsWith('.test.ts') ? [] : [path];
  return readdirSync(path)
    .filter((name) => !['node_modules', 'dist'].includes(name))
    .sort()
    .flatMap((name) => filesIn(join(path, name)));
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const bytes = readFileSync(file);
    hash.update(`${file.slice(root.length)} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}
