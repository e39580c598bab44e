// Every check of the gate, one after the other, then `npm test`; a step that is no test counts as one test. Plain
// JavaScript for any Node from 18 on: it installs the rest.
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const SEEDS = '1..100';
const STEPS = [
  ['install', 'node', ['tools/bootstrap.mjs', 'install']],
  ['lint', 'npm', ['run', '-s', 'lint']],
  ['types', 'npm', ['run', '-s', 'typecheck']],
  ['generation drift', 'npm', ['run', '-s', 'generate:check']],
  ['page', 'npm', ['run', '-s', 'page']],
  ['figures have conditions', 'npm', ['run', '-s', 'bench', '--', '--check']],
  ['simulator', 'npm', ['run', '-s', 'simulate', '--', '--seeds', SEEDS]],
  ['sabotage', 'npm', ['run', '-s', 'sabotage']],
  ['start, kill -9, start', 'npm', ['run', '-s', 'verify', '--', 'start']],
  ['kill everything', 'npm', ['run', '-s', 'e2e', '--', 'kill-everything', '--seeds', '2']],
  ['documentation', 'npm', ['run', '-s', 'docs:check']],
];

let passed = 0;
let failed = 0;
for (const [name, command, args] of STEPS) {
  console.log(`\n== ${name}: ${[command, ...args].join(' ')}`);
  const startedMs = Date.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  if (status === 0) passed++;
  else failed++;
  console.log(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${seconds} s`);
  if (name === 'install' && status !== 0) break;
}

console.log('\n== tests: npm test');
const test = spawnSync('npm', ['test'], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
  encoding: 'utf8',
  maxBuffer: 1 << 28,
});
const counts = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(test.stdout);
console.log(test.stdout.replace(/^\d+ passed, \d+ failed, \d+ skipped$/m, (line) => `tests alone: ${line}`));
const [testsPassed, testsFailed, skipped] = counts === null ? [0, 1, 0] : counts.slice(1).map(Number);
passed += testsPassed;
failed += testsFailed;
if (test.status !== 0 && testsFailed === 0) failed++;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 ? 1 : 0);
