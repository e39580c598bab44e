// Entry point of `npm start`, `npm test` and the other scripts. Installs the missing dependencies of a program, then
// runs it on the project's own Node. Plain JavaScript for any Node from 18 on.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from './installation.mjs';

const WANTED_MAJOR = 24;
const PROGRAMS = {
  start: ['apps/tidemark/src/main.ts', 'start'],
  tidemark: ['apps/tidemark/src/main.ts'],
  agent: ['apps/agent/src/main.ts'],
  cluster: ['apps/cluster/src/main.ts'],
  test: ['tools/test.mjs'],
  bench: ['bench/main.ts'],
  'bench:peers': ['bench/peers/main.ts'],
  simulate: ['e2e/simulation/main.ts'],
  e2e: ['e2e/main.ts'],
  sabotage: ['e2e/sabotage/main.ts'],
  attack: ['e2e/attack/main.ts'],
  fuzz: ['e2e/fuzz/main.ts'],
  soak: ['e2e/soak/main.ts'],
  flip: ['e2e/flip/main.ts'],
  conformance: ['tools/conformance.mjs'],
  verify: ['e2e/verify/main.ts'],
  'docs:check': ['tools/check-docs.mjs'],
  pack: ['tools/pack.mjs'],
  page: ['tools/build-page.mjs'],
};
const PARENT_CHECK_MS = 500;
/** Programs that run without the development dependencies. */
const RUN_LEVEL = ['start', 'tidemark', 'agent', 'cluster', 'page'];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name, ...rest] = process.argv.slice(2);
const program = PROGRAMS[name];
if (program === undefined && name !== 'install') {
  console.error(`unknown program ${name} (one of: install, ${Object.keys(PROGRAMS).join(', ')})`);
  process.exit(2);
}

install(root, RUN_LEVEL.includes(name) ? 'run' : 'full');
if (name === 'install') process.exit(0);
const node = nodeOfProject();
if (name === 'start' || name === 'cluster') buildPage();
run();

/** Returns the Node of the project, which is a package, so that the installed version does not matter. */
function nodeOfProject() {
  const own = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(own)) return own;
  if (Number(process.versions.node.split('.')[0]) >= WANTED_MAJOR) return process.execPath;
  // The package `node` downloads the program in its install script, which a strict npm does not run.
  console.error(
    `tidemark: Node ${process.versions.node} is too old (limit: ${WANTED_MAJOR}), and npm did not run the install script of\n` +
      'the package that provides it. Allow the script, then retry:  npm install-scripts approve node && npm rebuild node',
  );
  process.exit(1);
}

function buildPage() {
  const result = spawnSync(node, [join(root, ...PROGRAMS.page[0].split('/'))], { encoding: 'utf8' });
  if (result.status !== 0) {
    console.error(`${result.stdout}\n${result.stderr}\ntidemark: cannot build the page; starting without it`);
  }
}

function run() {
  const path = [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].join(
    process.platform === 'win32' ? ';' : ':',
  );
  const child = spawn(node, [...program.map((part, i) => (i === 0 ? join(root, part) : part)), ...rest], {
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  // The terminal sends Ctrl-C to both; this process only waits for the program to end cleanly.
  let isTerminated = false;
  const terminate = () => {
    isTerminated = true;
    child.kill('SIGTERM');
  };
  process.on('SIGINT', () => {});
  process.on('SIGTERM', terminate);
  // npm gives SIGTERM to the shell that it runs scripts with, which ends without a word to its own child.
  const parent = process.ppid;
  // Only once: a program takes a second one as the wish to end at once.
  const check = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(check);
    if (!isTerminated) terminate();
  }, PARENT_CHECK_MS);
  check.unref();
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? (code ?? 1) : 128);
  });
}
