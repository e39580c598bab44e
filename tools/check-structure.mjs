// What the linter can't say: imports point one way through the layers, libraries reach time, randomness, environment
// and files only through ports, and no file grows past its limit.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const LAYERS = ['contract', 'base', 'adapter', 'collect', 'persist', 'serve', 'ops', 'app'];
/** These three stand beside each other and do not import each other. */
const BESIDE = new Set(['collect', 'persist', 'serve']);
const LINES = 600;
const AMBIENT = [
  [/\bDate\.now\(|\bnew Date\(\)/, 'take a Clock'],
  [/\bperformance\.now\(/, 'take a Clock'],
  [/(?<![.\w])set(Timeout|Interval|Immediate)\(/, 'use Clock.setTimer'],
  [/\bMath\.random\(/, 'take a Random'],
  [/\bcrypto\.random|\brandomBytes\(|\brandomUUID\(/, 'take a Random'],
  [/\bprocess\.env\b/, 'take settings as arguments'],
  [/from 'node:fs(\/promises)?'/, 'take a Disk'],
];

const problems = [];
const packages = new Map();
for (const group of ['libs', 'apps']) {
  for (const entry of readdirSync(join(root, group), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const folder = join(root, group, entry.name);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const tag = manifest.nx?.tags?.find((one) => one.startsWith('layer:'));
    const layer = tag?.slice('layer:'.length);
    if (!LAYERS.includes(layer))
      problems.push(`${group}/${entry.name}/package.json: nx.tags needs one layer of ${LAYERS.join(', ')}`);
    packages.set(manifest.name, { folder, layer, manifest });
  }
}

for (const [name, { folder, layer, manifest }] of packages) {
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    const target = packages.get(dependency);
    if (target === undefined || mayImport(layer, target.layer)) continue;
    problems.push(`${name} (${layer}) imports ${dependency} (${target.layer}): imports point ${LAYERS.join(' → ')}`);
  }
  for (const file of sources(folder)) check(file, layer, name);
}
for (const folder of ['e2e', 'bench', 'tools']) for (const file of sources(join(root, folder))) checkLength(file);

for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`${problems.length} problems of structure`);
  process.exit(1);
}

function mayImport(from, to) {
  if (from === to) return true;
  if (BESIDE.has(from) && BESIDE.has(to)) return false;
  return LAYERS.indexOf(to) < LAYERS.indexOf(from);
}

function check(file, layer, name) {
  checkLength(file);
  const isTest = /\.test\.tsx?$|\.fixture\.ts$|\/testing\//.test(file);
  if (isTest || layer === 'app' || layer === 'adapter' || name === '@tidemark/contract') return;
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((line, i) => {
      if (/^\s*(\/\/|\*|\/\*)/.test(line)) return;
      for (const [pattern, instead] of AMBIENT) {
        if (pattern.test(line)) problems.push(`${relative(root, file)}:${i + 1}: ${line.trim()} — ${instead} instead`);
      }
    });
}

function checkLength(file) {
  if (file.includes('/generated/')) return;
  const lines = readFileSync(file, 'utf8').split('\n').length;
  if (lines > LINES) problems.push(`${relative(root, file)}: ${lines} lines (limit: ${LINES}): is it one thing?`);
}

function sources(folder) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|tsx|mjs)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !file.includes('/node_modules/') && !file.includes('/dist/'));
  } catch {
    return [];
  }
}
