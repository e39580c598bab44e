// `npm run conformance`: runs the conformance suites of every port over every adapter and prints adapter × case.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { THREAD_FLAGS } from './node-flags.mjs';
import { programOptions } from './program-options.ts';

const HELP = `Usage: npm run conformance

Runs the conformance suites of every port over every adapter, and prints each adapter with its cases.

  --help  show this`;
programOptions({ help: HELP }, {});
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = mkdtempSync(join(tmpdir(), 'tidemark-conformance-'));
const report = join(scratch, 'report.json');
const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
spawnSync(
  process.execPath,
  [
    ...THREAD_FLAGS,
    '--experimental-vm-modules',
    '--no-warnings',
    jest,
    '--json',
    `--outputFile=${report}`,
    '--ci',
    '-t',
    'conformance:',
  ],
  { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
);
const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
rmSync(scratch, { recursive: true, force: true });

/** Suite names read `PORT conformance: ADAPTER`. */
const ports = new Map();
/** Suites whose server is not available; the title has the reason. */
const skipped = new Set();
for (const { ancestorTitles, title, status } of testResults.flatMap((file) => file.assertionResults)) {
  const suite = ancestorTitles.find((one) => one.includes(' conformance: '));
  if (suite === undefined) continue;
  if (status === 'pending') {
    skipped.add(ancestorTitles.join(', '));
    continue;
  }
  const [port, subject] = suite.split(' conformance: ');
  const [adapter, condition] = subject.split(/, (?=behind faults$)/);
  const inner = ancestorTitles.slice(ancestorTitles.indexOf(suite) + 1);
  const name = [condition, ...inner, title.replace(/ \((seed |TIDEMARK_TEST_SEED=)\d+\)$/, '')]
    .filter(Boolean)
    .join(': ');
  const cases = ports.get(port) ?? new Map();
  cases.set(name, { ...cases.get(name), [adapter]: status === 'passed' ? 'ok' : status.toUpperCase() });
  ports.set(port, cases);
}
let failures = 0;
for (const [port, cases] of ports) {
  const adapters = [...new Set([...cases.values()].flatMap((row) => Object.keys(row)))];
  console.log(`\n${port}`);
  const width = Math.max(...[...cases.keys()].map((name) => name.length));
  console.log(`${''.padEnd(width)}  ${adapters.join('  ')}`);
  for (const [name, row] of cases) {
    console.log(`${name.padEnd(width)}  ${adapters.map((one) => (row[one] ?? '-').padEnd(one.length)).join('  ')}`);
    failures += Object.values(row).filter((status) => status !== 'ok').length;
  }
}
for (const suite of skipped) console.log(`\nskipped: ${suite}`);
console.log(`\n${failures === 0 ? 'every adapter conforms' : `${failures} cases failed`}`);
process.exit(failures === 0 && ports.size > 0 ? 0 : 1);
