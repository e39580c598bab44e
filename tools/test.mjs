// Runs every test and prints one last line of counts. The suffix of a test that needs a real server names it, such as
// `.browser.test.ts`. Without that server the test is skipped with the reason; with `--full` (or CI=true) it fails.
// Other arguments go to jest.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { THREAD_FLAGS } from './node-flags.mjs';

const HELP = `Usage: npm test -- [--full] [--debug | --watch] [PATH…] [OPTIONS OF JEST]

Runs the tests whose path contains one of the paths, or all tests without a path.

  -t TITLE   run only tests whose title matches
  --debug    run the files one by one in one process that waits for a debugger on port 9229, without time limits
  --watch    rerun the tests of changed files, without the line of counts
  --full     fail tests that need an unavailable server; also with CI=true
  --help     show this`;
/** Time for jest to exit after its tests, except in CI. After it the open handles are printed. */
const EXIT_MS = 10_000;
const POLL_MS = 250;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
if (args.includes('--help')) {
  console.log(HELP);
  process.exit(0);
}
const isCi = process.env.CI === 'true';
const isFull = args.includes('--full') || isCi;
const isDebug = args.includes('--debug');
const isWatch = args.includes('--watch');
const own = args.filter((arg) => arg !== '--full' && arg !== '--debug');
const isByTitle = own.some((arg) => /^(-t|--testNamePattern)(=|$)/.test(arg));
const scratch = mkdtempSync(join(tmpdir(), 'tidemark-test-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const report = join(scratch, 'report.json');

const status = await runJest();
if (isWatch) process.exit(status);

let summary;
try {
  summary = JSON.parse(readFileSync(report, 'utf8'));
} catch {
  console.log('jest wrote no report; see its errors above');
  console.log('0 passed, 1 failed, 0 skipped');
  process.exit(1);
}

const skipped = summary.testResults.flatMap((file) =>
  file.assertionResults.filter(({ status }) => status === 'pending'),
);
// With -t, jest reports all other tests as pending: do not list them.
if (!isByTitle) for (const { fullName } of skipped) console.log(`skipped: ${fullName}`);
const byKind = new Map();
for (const file of summary.testResults) {
  const kind = /\.(\w+)\.test\.ts$/.exec(file.name)?.[1] ?? (file.name.includes('/e2e/') ? 'e2e' : 'plain');
  byKind.set(kind, (byKind.get(kind) ?? 0) + file.assertionResults.length);
}
console.log(`tests by kind: ${[...byKind].map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
const brokenFiles = summary.testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
);
const isSkipFailure = isFull && !isByTitle;
const failed = summary.numFailedTests + brokenFiles.length + (isSkipFailure ? summary.numPendingTests : 0);
const counted = isSkipFailure ? 0 : summary.numPendingTests;
console.log(`${summary.numPassedTests} passed, ${failed} failed, ${counted} skipped`);
process.exit(failed > 0 || status !== 0 ? 1 : 0);

/** Runs jest and returns its exit code. Its stdout goes to stderr, so that the counts are the last line of stdout. */
function runJest() {
  const child = spawn(process.execPath, [...nodeFlags(), ...jestFlags(), ...own], {
    cwd: root,
    stdio: isWatch ? 'inherit' : [isDebug ? 'inherit' : 'ignore', 2, 'inherit'],
    env: { ...process.env, TIDEMARK_TEST_FULL: isFull ? '1' : '', NODE_OPTIONS: '' },
  });
  for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) {
    process.once(signal, () => {
      child.kill(signal);
      process.exit(code);
    });
  }
  let finishedMs;
  const poll = setInterval(() => {
    if (isWatch || isDebug || !existsSync(report)) return;
    finishedMs ??= performance.now();
    if (performance.now() - finishedMs < EXIT_MS) return;
    clearInterval(poll);
    child.kill('SIGTERM');
  }, POLL_MS);
  return new Promise((resolve) => {
    child.once('exit', (code) => {
      clearInterval(poll);
      resolve(code ?? 1);
    });
  });
}

function nodeFlags() {
  const flags = [
    ...THREAD_FLAGS,
    '--experimental-vm-modules',
    '--no-warnings',
    '--import',
    join(root, 'tools/report-open-handles.mjs'),
  ];
  if (isDebug) flags.push('--inspect-brk=127.0.0.1:9229');
  return [...flags, join(root, 'node_modules', 'jest', 'bin', 'jest.js')];
}

function jestFlags() {
  if (isDebug && isWatch) return ['--runInBand', ...debugFlags()];
  if (isWatch) return [];
  const flags = ['--json', `--outputFile=${report}`, '--ci'];
  if (isDebug) return [...flags, '--runInBand', ...debugFlags()];
  // In CI the run must end, also after a failed test that leaves handles open.
  if (isCi) flags.push('--forceExit');
  // Many tests wait for their processes instead of computing: run three at a time on two cores, where jest runs one.
  return [...flags, `--maxWorkers=${Math.max(3, availableParallelism() - 1)}`];
}

function debugFlags() {
  return ['--testEnvironment', join(root, 'tools/test-environment-debug.mjs')];
}
