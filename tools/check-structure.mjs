// Checks what the linter cannot: a package's layer is its folder, imports point one way through the layers, each
// package.json lists exactly the packages of the project that its files import, libraries reach time, randomness,
// environment and files only through ports, and no file is longer than its limit. It checks this project, or the folder
// that is its argument.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url)));
/** From the first to the last; layers of one line do not import each other. */
const LAYERS = [
  ['base'],
  ['data', 'adapter'],
  ['log'],
  ['collect', 'ingest', 'store', 'query'],
  ['control'],
  ['alert'],
  ['run'],
  ['apps'],
];
/** Layer for development and tests. It imports these layers and itself; only tests and `apps/cluster` import it. */
const DEVKIT = 'devkit';
const DEVKIT_IMPORTS = new Set(['base', 'adapter', DEVKIT]);
const DEVKIT_APP = '@tidemark/cluster-app';
/** Imported by tests only: it imports jest. */
const ALL_TESTS = '@tidemark/conformance';
/** Layers that may use the machine directly: implementations of ports, and programs. */
const MEETS_MACHINE = new Set(['adapter', DEVKIT, 'apps']);
const LINES = 600;
const AMBIENT = [
  [/\bDate\.now\(|\bnew Date\(\)/, 'take a Clock'],
  [/\bperformance\.(now\(|timeOrigin\b)|\bprocess\.(hrtime|uptime)\b/, 'take a Clock'],
  [/(?<![.\w])(globalThis\.)?set(Timeout|Interval|Immediate)\(|\bAbortSignal\.timeout\(/, 'use Clock.setTimer'],
  [ambientModule('timers(?:/promises)?'), 'use Clock.setTimer, or take a function that yields'],
  [ambientModule('perf_hooks'), 'take a Clock'],
  [/\bMath\.random\(/, 'take a Random'],
  [/\bcrypto\.random|\brandom(Bytes|UUID|Int|Fill|FillSync)\(|\bgetRandomValues\(/, 'take a Random'],
  [/\bprocess\.(env\b|cwd\()/, 'take settings as arguments'],
  [/\b(hostname|userInfo|homedir|tmpdir)\(\)/, 'take the value as an argument'],
  [ambientModule('fs(?:/promises)?'), 'take a Disk'],
];

const problems = [];
const packages = findPackages();
for (const one of packages.values()) {
  const imported = new Set();
  const importedByTests = new Set();
  for (const file of sources(one.folder)) {
    checkLength(file);
    const text = readFileSync(file, 'utf8');
    const isTest = /\.test\.tsx?$|\.fixture\.ts$|\/testing\//.test(file);
    for (const target of importsOf(text)) {
      (isTest ? importedByTests : imported).add(target);
      checkImport(one, target, file, isTest);
    }
    if (!isTest && one.name !== ALL_TESTS) checkDeclared(one, text, file);
    if (!isTest && !MEETS_MACHINE.has(one.layer) && !file.includes('/generated/')) checkAmbient(file, text);
  }
  one.imports = imported;
  checkManifest(one, imported, importedByTests);
}
checkCircles();
for (const folder of ['e2e', 'bench', 'tools']) for (const file of sources(join(root, folder))) checkLength(file);

for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`${problems.length} problems of structure`);
  process.exit(1);
}

function findPackages() {
  const found = new Map();
  const layers = [...LAYERS.flat(), DEVKIT];
  for (const entry of folders(join(root, 'libs'))) {
    if (!layers.includes(entry)) problems.push(`libs/${entry}: not a layer (limit: ${layers.join(', ')})`);
    for (const name of folders(join(root, 'libs', entry))) add(entry, join(root, 'libs', entry, name), name);
  }
  for (const name of folders(join(root, 'apps'))) add('apps', join(root, 'apps', name), name);
  return found;

  function add(layer, folder, name) {
    if (!existsSync(join(folder, 'package.json'))) {
      problems.push(`${relative(root, folder)}: has no package.json`);
      return;
    }
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const expected = layer === 'apps' ? `@tidemark/${name}-app` : `@tidemark/${name}`;
    if (manifest.name !== expected) {
      problems.push(`${relative(root, folder)}/package.json: name is ${manifest.name} (limit: ${expected})`);
    }
    if (found.has(manifest.name)) problems.push(`${relative(root, folder)}: another package is ${manifest.name}`);
    const { dependencies = {}, devDependencies = {} } = manifest;
    found.set(manifest.name, { name: manifest.name, layer, folder, dependencies, devDependencies });
  }
}

/** Lists the packages of the project that a file imports, types included. */
function importsOf(text) {
  return [...text.matchAll(/(?:from|import|import\()\s*'(@tidemark\/[\w-]+)/g)].map(([, name]) => name);
}

function checkImport(from, name, file, isTest) {
  const to = packages.get(name);
  const where = relative(root, file);
  if (to === undefined) problems.push(`${where}: imports ${name}, which is not a package of the project`);
  else if (!mayImport(from, to, isTest)) {
    problems.push(`${where}: ${from.layer} imports ${name} of ${to.layer}; imports point ${order()}`);
  }
}

/**
 * Compares the packages of the project in a package.json with the imports: sources need `dependencies`, tests and
 * fixtures take either list, and every entry is imported.
 */
function checkManifest({ name, folder, dependencies, devDependencies }, imported, importedByTests) {
  const where = `${relative(root, folder)}/package.json`;
  for (const used of [...imported].sort()) {
    if (used === name || used in dependencies || !packages.has(used)) continue;
    problems.push(`${where}: dependencies lack ${used}, which sources import`);
  }
  for (const used of [...importedByTests].sort()) {
    if (used === name || imported.has(used) || used in dependencies || used in devDependencies) continue;
    if (packages.has(used)) problems.push(`${where}: devDependencies lack ${used}, which tests import`);
  }
  for (const listed of Object.keys(dependencies)) {
    if (!listed.startsWith('@tidemark/') || imported.has(listed)) continue;
    const instead = importedByTests.has(listed) ? 'only tests import; move it to devDependencies' : 'no file imports';
    problems.push(`${where}: dependencies have ${listed}, which ${instead}`);
  }
  for (const listed of Object.keys(devDependencies)) {
    if (!listed.startsWith('@tidemark/')) continue;
    if (listed in dependencies) problems.push(`${where}: devDependencies repeat ${listed} of dependencies`);
    else if (!imported.has(listed) && !importedByTests.has(listed)) {
      problems.push(`${where}: devDependencies have ${listed}, which no file imports`);
    }
  }
}

/** Checks that sources load only `dependencies`: `npm start` installs no development dependencies. */
function checkDeclared({ dependencies }, text, file) {
  for (const name of loadedBy(text)) {
    if (name in dependencies) continue;
    problems.push(`${relative(root, file)}: imports ${name}, which its package.json does not have in dependencies`);
  }
}

/** Lists the npm packages that a file imports, except those from which it imports types only. */
function loadedBy(text) {
  const imports = [
    ...text.matchAll(/^(?:import|export)\s(?!type\b)[^';]*?from\s'([^'.][^']*)'/gm),
    ...text.matchAll(/^import\s'([^'.][^']*)'/gm),
    ...text.matchAll(/(?<!typeof\s)\bimport\('([^'.][^']*)'\)/g),
  ].map(([, path]) => path.split('/', path.startsWith('@') ? 2 : 1).join('/'));
  return imports.filter((name) => !name.startsWith('node:') && !name.startsWith('@tidemark/'));
}

function mayImport(from, to, isTest) {
  if (from.layer === to.layer) return true;
  if (to.layer === DEVKIT) return isTest || from.name === DEVKIT_APP;
  if (from.layer === DEVKIT) return isTest || DEVKIT_IMPORTS.has(to.layer);
  return isTest ? rank(to.layer) <= rank(from.layer) : rank(to.layer) < rank(from.layer);
}

function rank(layer) {
  return LAYERS.findIndex((line) => line.includes(layer));
}

function order() {
  return LAYERS.map((line) => line.join(', ')).join(' → ');
}

/** Finds circles: packages of one layer may import each other, but not in a circle. */
function checkCircles() {
  const done = new Set();
  for (const { name } of packages.values()) walk(name, []);

  function walk(name, path) {
    const at = path.indexOf(name);
    if (at >= 0) problems.push(`packages in a circle: ${[...path.slice(at), name].join(' → ')}`);
    if (at >= 0 || done.has(name)) return;
    for (const next of packages.get(name)?.imports ?? []) if (next !== name) walk(next, [...path, name]);
    done.add(name);
  }
}

/** Matches an import of a module of Node, static or not. */
function ambientModule(name) {
  return new RegExp(`(?:\\bfrom |\\bimport |\\bimport\\()'(?:node:)?${name}'`);
}

function checkAmbient(file, text) {
  text.split('\n').forEach((line, i) => {
    if (/^\s*(\/\/|\*|\/\*)/.test(line)) return;
    for (const [pattern, instead] of AMBIENT) {
      if (pattern.test(line)) problems.push(`${relative(root, file)}:${i + 1}: ${line.trim()} — ${instead} instead`);
    }
  });
}

function checkLength(file) {
  if (file.includes('/generated/')) return;
  const lines = readFileSync(file, 'utf8').split('\n').length;
  if (lines > LINES) problems.push(`${relative(root, file)}: ${lines} lines (limit: ${LINES}); split the file`);
}

function folders(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map((entry) => entry.name);
}

function sources(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|tsx|mjs)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('/node_modules/') && !file.includes('/dist/'));
}
