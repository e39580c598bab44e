import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const isWindows = process.platform === 'win32';
let folder: string;

/** A program that bounds its memory, and prints what it then has. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-memory-'));
  const { href } = new URL('./process-memory.ts', import.meta.url);
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { boundMemory } from ${JSON.stringify(href)};
    console.log('pid', process.pid);
    boundMemory(process, ${JSON.stringify(join(folder, 'cache'))});
    let kept = [];
    for (let i = 0; i < 3e6; i++) {
      kept.push({ i });
      if (kept.length > 1e5) kept = [];
    }
    const young = getHeapSpaceStatistics().find((one) => one.space_name === 'new_space').space_size;
    const { MALLOC_ARENA_MAX: arenas, NODE_COMPILE_CACHE: cache } = process.env;
    console.log(JSON.stringify({ pid: process.pid, cache, youngMib: young / 2 ** 20, arenas, argv: process.argv.slice(2) }));`;
  writeFileSync(join(folder, 'program.mjs'), program);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const { MALLOC_ARENA_MAX: _, NODE_COMPILE_CACHE: __, ...rest } = process.env;
  const args = ['--no-warnings', ...flags, join(folder, 'program.mjs'), 'start', '--a b'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...rest, ...env } });
  expect(stderr).toBe('');
  const lines = stdout.trim().split('\n');
  return { starts: lines.slice(0, -1), found: JSON.parse(lines.at(-1) ?? '') };
}

(isWindows ? describe.skip : describe)('a program that bounds its memory', () => {
  test('starts once again, as the same process, with its arguments', () => {
    const { starts, found } = run();
    expect(starts).toEqual([`pid ${found.pid}`, `pid ${found.pid}`]);
    expect(found).toMatchObject({ argv: ['start', '--a b'], arenas: '1', cache: join(folder, 'cache') });
    expect(found.youngMib).toBeLessThanOrEqual(8);
  });

  test('leaves what the caller chose', () => {
    expect(run([], { MALLOC_ARENA_MAX: '7' }).found.arenas).toBe('7');
    const { starts, found } = run(['--max-semi-space-size=2']);
    expect(starts).toHaveLength(1);
    expect(found.youngMib).toBeLessThanOrEqual(4);
    expect(run([], { NODE_OPTIONS: '--max-semi-space-size=2' }).starts).toHaveLength(1);
    expect(run(['--max_semi_space_size=2']).starts).toHaveLength(1);
  });

  test('runs as it is where Node does not let it start again', () => {
    const { starts, found } = run(['--permission', '--allow-fs-read=*']);
    expect(starts).toEqual([`pid ${found.pid}`]);
  });
});
