// Every check of the gate, then `npm test`; a step that is no test counts as one test. Plain JavaScript for any Node
// from 18 on: it installs the rest.
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const SEEDS = '1..100';
const LEFT_OPEN_MS = 5000;
const INSTALL = ['install', 'node', ['tools/bootstrap.mjs', 'install']];
/** Before all that starts a platform: it would build the page too. */
const PAGE = ['page', 'npm', ['run', '-s', 'page']];
/** What runs beside each other: the last of these mostly waits, the others compute on one core. */
const BESIDE = [
  [
    ['lint', 'npm', ['run', '-s', 'lint']],
    ['types', 'npm', ['run', '-s', 'typecheck']],
    ['generation drift', 'npm', ['run', '-s', 'generate:check']],
    ['figures have conditions', 'npm', ['run', '-s', 'bench', '--', '--check']],
  ],
  [['start, kill -9, start', 'npm', ['run', '-s', 'verify', '--', 'start']]],
];
/** One after the other: each has the machine for itself. */
const ALONE = [
  ['simulator', 'npm', ['run', '-s', 'simulate', '--', '--seeds', SEEDS]],
  ['sabotage', 'npm', ['run', '-s', 'sabotage']],
  ['kill everything', 'npm', ['run', '-s', 'e2e', '--', 'kill-everything', '--seeds', '2']],
  ['documentation', 'npm', ['run', '-s', 'docs:check']],
];

let passed = 0;
let failed = 0;
if (await step(INSTALL)) {
  await step(PAGE);
  await Promise.all(BESIDE.map((steps) => inTurn(steps, 'at the end')));
  await inTurn(ALONE);
}

console.log('\n== tests: npm test');
const test = await run('npm', ['test'], ['ignore', 'pipe', 'inherit']);
const counts = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(test.output);
console.log(test.output.replace(/^\d+ passed, \d+ failed, \d+ skipped$/m, (line) => `tests alone: ${line}`));
console.log(`== tests: ${test.status === 0 ? 'ok' : 'FAILED'} in ${test.seconds.toFixed(1)} s`);
const [testsPassed, testsFailed, skipped] = counts === null ? [0, 1, 0] : counts.slice(1).map(Number);
passed += testsPassed;
failed += testsFailed;
if (test.status !== 0 && testsFailed === 0) failed++;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 ? 1 : 0);

async function inTurn(steps, shown) {
  for (const one of steps) await step(one, shown);
}

/** A step that runs beside others is shown `at the end`, whole. */
async function step([name, command, args], shown = 'at once') {
  const title = `\n== ${name}: ${[command, ...args].join(' ')}`;
  if (shown === 'at once') console.log(title);
  const out = shown === 'at once' ? 'inherit' : 'pipe';
  const { status, output, seconds } = await run(command, args, ['ignore', out, out]);
  if (shown !== 'at once') console.log(`${title}\n${output.trimEnd()}`);
  console.log(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${seconds.toFixed(1)} s`);
  if (status === 0) passed++;
  else failed++;
  return status === 0;
}

function run(command, args, stdio) {
  const startedMs = performance.now();
  const child = spawn(command, args, { cwd: root, stdio });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8');
    stream?.on('data', (text) => {
      output += text;
    });
  }
  return new Promise((resolve) => {
    const end = (status) => resolve({ status, output, seconds: (performance.now() - startedMs) / 1000 });
    // A process that a step leaves behind may hold its output open: that is not waited for.
    child.on('exit', (status) => {
      setTimeout(() => end(status), LEFT_OPEN_MS);
    });
    child.on('close', end);
    child.on('error', (error) => {
      output += `${error.message}\n`;
      end(1);
    });
  });
}
