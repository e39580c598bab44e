import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const NESTED_MS = 60_000;
const SUITE = `
test('passes', () => {});
test.skip('waits for a server', () => {});
test('fails', () => {
  process.stdout.write('printed by the test\\n');
  require('node:net').createServer().listen(0);
  expect(1).toBe(2);
});
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-test-tool-'));
  writeFileSync(join(folder, 'a.test.js'), SUITE);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(env: Record<string, string>, ...args: string[]) {
  const config = JSON.stringify({ rootDir: folder });
  const own = Object.entries(process.env).filter(([name]) => name !== 'JEST_WORKER_ID' && name !== 'CI');
  return spawnSync(process.execPath, [join(import.meta.dirname, 'test.mjs'), '--config', config, ...args], {
    encoding: 'utf8',
    env: { ...Object.fromEntries(own), ...env },
  });
}

test(
  'counts come last, the output of a failing test is shown, and an open server does not delay the run in CI',
  () => {
    const { stdout, stderr, status } = run({ CI: 'true' });
    // In CI a skipped test is a failure.
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('1 passed, 2 failed, 0 skipped');
    expect(stdout).toContain('skipped: waits for a server');
    expect(stderr).toContain('printed by the test');
    expect(stderr).toContain('Expected: 2');
    expect(status).toBe(1);
  },
  NESTED_MS,
);

test(
  'with -t the other tests are neither listed nor failures',
  () => {
    const { stdout, status } = run({}, '-t', 'passes', '--full');
    expect(stdout).not.toContain('skipped:');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('1 passed, 0 failed, 2 skipped');
    expect(status).toBe(0);
  },
  NESTED_MS,
);

test('--help describes the options', () => {
  expect(run({}, '--help').stdout).toContain('--debug');
});
