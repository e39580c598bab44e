// Runs every test and closes with one line of counts. Tests that need a real server say so by their suffix:
// `.browser.test.ts` and so on; one that can't be had is skipped with its reason, and with `--full` (or CI=true) that
// is a failure. Other arguments go to jest, such as a path to run one library's tests.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
const isFull = args.includes('--full') || process.env.CI === 'true';
const own = args.filter((arg) => arg !== '--full');
const scratch = mkdtempSync(join(tmpdir(), 'tidemark-test-'));
const report = join(scratch, 'report.json');

const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
// Many tests wait for processes of theirs rather than compute, so two at a time on two cores, where jest would take one.
const workers = Math.max(2, availableParallelism() - 1);
// A failed test may leave something open: the run ends all the same.
const flags = ['--json', `--outputFile=${report}`, '--ci', '--forceExit', `--maxWorkers=${workers}`, ...own];
const result = spawnSync(process.execPath, ['--experimental-vm-modules', '--no-warnings', jest, ...flags], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
  env: { ...process.env, TIDEMARK_TEST_FULL: isFull ? '1' : '', NODE_OPTIONS: '' },
});

let summary;
try {
  summary = JSON.parse(readFileSync(report, 'utf8'));
} catch {
  console.log('the test runner wrote no report');
  console.log('0 passed, 1 failed, 0 skipped');
  process.exit(1);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

const skipped = summary.testResults.flatMap((file) =>
  file.assertionResults.filter(({ status }) => status === 'pending'),
);
for (const { fullName } of skipped) console.log(`skipped: ${fullName}`);
const byKind = new Map();
for (const file of summary.testResults) {
  const kind = /\.(\w+)\.test\.ts$/.exec(file.name)?.[1] ?? (file.name.includes('/e2e/') ? 'e2e' : 'plain');
  byKind.set(kind, (byKind.get(kind) ?? 0) + file.assertionResults.length);
}
console.log(`tests by kind: ${[...byKind].map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
const brokenFiles = summary.testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
);
const failed = summary.numFailedTests + brokenFiles.length + (isFull ? summary.numPendingTests : 0);
const counted = isFull ? 0 : summary.numPendingTests;
console.log(`${summary.numPassedTests} passed, ${failed} failed, ${counted} skipped`);
process.exit(failed > 0 || result.status !== 0 ? 1 : 0);
