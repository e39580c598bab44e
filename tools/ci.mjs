// Runs every check of the gate, then `npm test`. Each other step counts as one test. Plain JavaScript for any Node from
// 18 on: it installs the rest.
import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const SEEDS = '1..100';
/** The same inputs in each run: a change is not refused for a fault of before it. Runs by hand have a seed of their own. */
const FUZZ_SEED = '77';
/** Seconds of all targets of the fuzzing together: 20 s of each listener, next to the parsers. */
const FUZZ_SECONDS = '100';
const LEFT_OPEN_MS = 5000;
const INSTALL = ['install', 'node', ['tools/bootstrap.mjs', 'install']];
/** Runs before the steps that start a platform, each of which would build the page too. */
const PAGE = ['page', 'npm', ['run', '-s', 'page']];
/** Runs parallel to COMPUTING: platforms and brokers mostly wait, for time and for each other. */
const WAITING = [
  ['start, kill -9, start', 'npm', ['run', '-s', 'verify', '--', 'start']],
  ['kill everything', 'npm', ['run', '-s', 'e2e', '--', 'kill-everything', '--seeds', '2']],
  ['documentation', 'npm', ['run', '-s', 'docs:check']],
];
/** None of these depends on real time: they use the CPU time that WAITING leaves. */
const COMPUTING = [
  ['lint', 'npm', ['run', '-s', 'lint']],
  ['types', 'npm', ['run', '-s', 'typecheck']],
  ['generation drift', 'npm', ['run', '-s', 'generate:check']],
  ['figures have conditions', 'npm', ['run', '-s', 'bench', '--', '--check']],
  ['fuzzing', 'npm', ['run', '-s', 'fuzz', '--', '--total', FUZZ_SECONDS, '--seed', FUZZ_SEED]],
  ['simulator', 'npm', ['run', '-s', 'simulate', '--', '--seeds', SEEDS]],
  ['flipped bits', 'npm', ['run', '-s', 'flip', '--', '--seeds', '200', '--jobs', '2']],
  ['churn', 'npm', ['run', '-s', 'simulate', '--', '--churn-hours', '12']],
  ['sabotage', 'npm', ['run', '-s', 'sabotage']],
];
const LOW_PRIORITY = 10;

let passed = 0;
let failed = 0;
if (await step(INSTALL)) {
  await step(PAGE);
  await Promise.all([inTurn(WAITING, 'at the end'), inTurn(COMPUTING, 'at the end', LOW_PRIORITY)]);
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

async function inTurn(steps, shown, priority) {
  for (const one of steps) await step(one, shown, priority);
}

/** Runs a step and prints its output: at once, or whole `at the end` for a step that runs parallel to others. */
async function step([name, command, args], shown = 'at once', priority = 0) {
  const title = `\n== ${name}: ${[command, ...args].join(' ')}`;
  if (shown === 'at once') console.log(title);
  const out = shown === 'at once' ? 'inherit' : 'pipe';
  const { status, output, seconds } = await run(command, args, ['ignore', out, out], priority);
  if (shown !== 'at once') console.log(`${title}\n${output.trimEnd()}`);
  console.log(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${seconds.toFixed(1)} s`);
  if (status === 0) passed++;
  else failed++;
  return status === 0;
}

/** Runs a command. `priority` is a `nice` value for the process and its children. */
function run(command, args, stdio, priority = 0) {
  const startedMs = performance.now();
  const child = spawn(command, args, { cwd: root, stdio });
  if (priority !== 0 && child.pid !== undefined) setPriority(child.pid, priority);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8');
    stream?.on('data', (text) => {
      output += text;
    });
  }
  return new Promise((resolve) => {
    const end = (status) => resolve({ status, output, seconds: (performance.now() - startedMs) / 1000 });
    // A process that a step left running may keep its output open: do not wait for it.
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
