// Runs every test and closes with one line of counts. Tests that need a real server say so by their suffix:
// `.browser.test.ts` and so on; one that can't be had is skipped with its reason, and with `--full` (or CI=true) that
// is a failure. Other arguments go to jest.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HELP = `Usage: npm test -- [--full] [--debug | --watch] [PATH…] [OPTIONS OF JEST]

Runs the tests whose path contains one of the paths; without any, all of them.

  -t TITLE   only tests whose title matches
  --debug    one file after the other in one process that waits for a debugger on port 9229, without time limits
  --watch    run the tests of changed files again and again; no line of counts
  --full     a test that needs an unavailable server fails; also with CI=true
  --help     show this`;
/** Outside of CI jest has this long to exit after its tests; then what keeps it alive is printed. */
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
  console.log('the test runner wrote no report');
  console.log('0 passed, 1 failed, 0 skipped');
  process.exit(1);
}

const skipped = summary.testResults.flatMap((file) =>
  file.assertionResults.filter(({ status }) => status === 'pending'),
);
// With a title jest reports all other tests as pending: those are not named.
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

/** Resolves with jest's exit code. Its stdout, where tests print by themselves, goes to stderr: the counts come last. */
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
  const flags = ['--experimental-vm-modules', '--no-warnings', '--import', join(root, 'tools/report-open-handles.mjs')];
  if (isDebug) flags.push('--inspect-brk=127.0.0.1:9229');
  return [...flags, join(root, 'node_modules', 'jest', 'bin', 'jest.js')];
}

function jestFlags() {
  if (isDebug && isWatch) return ['--runInBand', ...debugFlags()];
  if (isWatch) return [];
  const flags = ['--json', `--outputFile=${report}`, '--ci'];
  if (isDebug) return [...flags, '--runInBand', ...debugFlags()];
  // In CI a failed test may leave something open: the run ends all the same.
  if (isCi) flags.push('--forceExit');
  // Many tests wait for processes of theirs rather than compute, so three at a time on two cores, where jest takes one.
  return [...flags, `--maxWorkers=${Math.max(3, availableParallelism() - 1)}`];
}

function debugFlags() {
  return ['--testEnvironment', join(root, 'tools/test-environment-debug.mjs')];
}
