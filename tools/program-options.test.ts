import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = dirname(import.meta.dirname);
const STARTS_MS = 60_000;
/** Each program with the file that runs it, its first arguments, and words of its help. */
const PROGRAMS = [
  ['simulate', ['e2e/simulation/main.ts'], '--seed N'],
  ['flip', ['e2e/flip/main.ts'], '--again FOLDER'],
  ['attack', ['e2e/attack/main.ts'], '--only NAME'],
  ['soak', ['e2e/soak/main.ts'], '--keep'],
  ['fuzz', ['e2e/fuzz/main.ts'], '--minutes N'],
  ['sabotage', ['e2e/sabotage/main.ts'], 'session-left-out'],
  ['e2e', ['e2e/main.ts'], 'kill-everything, prometheus'],
  ['e2e -- kill-everything', ['e2e/main.ts', 'kill-everything'], '--keep'],
  ['e2e -- prometheus', ['e2e/main.ts', 'prometheus'], '--minutes N'],
  ['verify', ['e2e/verify/main.ts'], 'start'],
  ['bench', ['bench/main.ts'], 'whole-path-kafka'],
  ['bench:peers', ['bench/peers/main.ts'], '--without NAME'],
  ['conformance', ['tools/conformance.mjs'], 'adapter'],
  ['pack', ['tools/pack.mjs'], '--out FOLDER'],
] as const;

function run(file: string, ...args: string[]) {
  return spawnSync(process.execPath, ['--no-warnings', join(root, file), ...args], { encoding: 'utf8' });
}

test.each(PROGRAMS)(
  'npm run %s prints its help, and refuses an unknown option without a stack',
  (name, [file, ...args], words) => {
    const help = run(file, ...args, '--help');
    expect([help.status, help.stderr]).toEqual([0, '']);
    expect(help.stdout).toContain(`Usage: npm run ${name}`);
    expect(help.stdout).toContain(words);
    const refused = run(file, ...args, '--no-such-option');
    expect([refused.status, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toMatch(/^unknown (option|scenario) '?--no-such-option'?\n/);
    expect(refused.stderr).toContain(help.stdout);
    expect(refused.stderr).not.toMatch(/^ +at /m);
  },
  STARTS_MS,
);

test.each([
  ['--seeds: 9..8 (limit: FIRST..LAST', 'e2e/simulation/main.ts', ['--seeds', '9..8']],
  ["option '--seed <value>' argument missing", 'e2e/simulation/main.ts', ['--seed']],
  ['unknown sabotage none', 'e2e/sabotage/main.ts', ['session-left-out', 'none']],
  ['--minutes: 3 (limit: 10 to 10000): in a shorter run', 'e2e/soak/main.ts', ['--minutes', '3']],
  ['--minutes: ten (limit: 10 to 10000)\n', 'e2e/soak/main.ts', ['--minutes', 'ten']],
  ['--seeds: x (limit: N, or FIRST..LAST)', 'e2e/main.ts', ['kill-everything', '--seeds', 'x']],
])(
  '%s',
  (message, file, args) => {
    const { status, stdout, stderr } = run(file, ...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr.startsWith(message)).toBe(true);
    expect(stderr).toContain('\n\nUsage: npm run ');
  },
  STARTS_MS,
);
