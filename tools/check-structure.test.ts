import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const CHECK = fileURLToPath(new URL('./check-structure.mjs', import.meta.url));

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tidemark-structure-'));
  addPackage('base', 'ports');
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function addPackage(
  layer: string,
  name: string,
  source = '',
  dependencies: readonly string[] = [],
  devDependencies: readonly string[] = [],
): void {
  const manifest = {
    name: `@tidemark/${name}`,
    dependencies: Object.fromEntries(dependencies.map((one) => [one, '*'])),
    devDependencies: Object.fromEntries(devDependencies.map((one) => [one, '*'])),
  };
  put(`libs/${layer}/${name}/package.json`, JSON.stringify(manifest));
  put(`libs/${layer}/${name}/src/index.ts`, source);
}

/** Lists what the check reports about the tree. */
function problems(): string[] {
  const { status, stderr } = spawnSync(process.execPath, [CHECK, root], { encoding: 'utf8' });
  const lines = stderr.split('\n').filter((line) => line !== '');
  if (status === 0) expect(lines).toEqual([]);
  else expect([status, lines.at(-1)]).toEqual([1, `${lines.length - 1} problems of structure`]);
  return lines.slice(0, -1);
}

describe('layers', () => {
  test('a layer without a folder is fine, and so is a project without apps or e2e', () => {
    addPackage('store', 'tag-store', "import type { Clock } from '@tidemark/ports';\n", ['@tidemark/ports']);
    expect(problems()).toEqual([]);
  });

  test('a folder that is not a layer is a problem', () => {
    addPackage('elsewhere', 'thing');
    expect(problems()).toEqual([expect.stringMatching(/^libs\/elsewhere: not a layer \(limit: base, data, adapter, /)]);
  });

  test('a folder without a package.json is a problem', () => {
    put('libs/data/empty/notes.txt', '');
    expect(problems()).toEqual(['libs/data/empty: has no package.json']);
  });

  test('an import from a lower to a higher layer is a problem', () => {
    addPackage('data', 'sketch');
    addPackage('base', 'model', "import { DDSketch } from '@tidemark/sketch';\n", ['@tidemark/sketch']);
    expect(problems()).toEqual([
      expect.stringMatching(/^libs\/base\/model\/src\/index\.ts: base imports @tidemark\/sketch of data; /),
    ]);
  });

  test('packages of one layer in a circle are a problem', () => {
    addPackage('data', 'chunk', "import { fold } from '@tidemark/fold';\n", ['@tidemark/fold']);
    addPackage('data', 'fold', "import { chunk } from '@tidemark/chunk';\n", ['@tidemark/chunk']);
    expect(problems()).toEqual([expect.stringContaining('packages in a circle: @tidemark/chunk → @tidemark/fold')]);
  });
});

describe('what libraries must take as an argument', () => {
  const AMBIENT: readonly (readonly [line: string, instead: string])[] = [
    ['const nowMs = Date.now();', 'take a Clock'],
    ['const startNs = process.hrtime.bigint();', 'take a Clock'],
    ['const upS = process.uptime();', 'take a Clock'],
    ['const nowMs = performance.now();', 'take a Clock'],
    ["import { performance } from 'node:perf_hooks';", 'take a Clock'],
    ['setTimeout(task, 100);', 'use Clock.setTimer'],
    ['globalThis.setImmediate(task);', 'use Clock.setTimer'],
    ['const signal = AbortSignal.timeout(100);', 'use Clock.setTimer'],
    ["import { setImmediate as nextRound } from 'node:timers/promises';", 'use Clock.setTimer, or take a function'],
    ["import { setTimeout as wait } from 'timers/promises';", 'use Clock.setTimer, or take a function'],
    ["import { setTimeout as arm } from 'node:timers';", 'use Clock.setTimer, or take a function'],
    ["const { setTimeout: wait } = await import('node:timers/promises');", 'use Clock.setTimer, or take a function'],
    ['const part = Math.random();', 'take a Random'],
    ['const id = randomUUID();', 'take a Random'],
    ['crypto.getRandomValues(bytes);', 'take a Random'],
    ['const port = randomInt(10);', 'take a Random'],
    ['const home = process.env.HOME;', 'take settings as arguments'],
    ['const folder = process.cwd();', 'take settings as arguments'],
    ['const host = hostname();', 'take the value as an argument'],
    ["import { readFile } from 'node:fs/promises';", 'take a Disk'],
    ["import { readFileSync } from 'fs';", 'take a Disk'],
  ];

  test('each of them is a problem, with what to do instead', () => {
    // Without these dependencies, `timers` and `fs` would be undeclared packages as well.
    const source = AMBIENT.map(([line]) => line).join('\n');
    addPackage('store', 'tag-store', source, ['timers', 'fs']);
    const found = problems();
    expect(found).toHaveLength(AMBIENT.length);
    for (const [i, [line, instead]] of AMBIENT.entries()) {
      expect(found[i]).toContain(`libs/store/tag-store/src/index.ts:${i + 1}: ${line} — ${instead}`);
    }
  });

  test('comments, tests, adapters and similar names pass', () => {
    addPackage(
      'store',
      'tag-store',
      '// Date.now() is not for stores.\nclock.setTimeout(1);\nconst at = new Date(ms);\n',
    );
    put('libs/store/tag-store/src/index.test.ts', 'const nowMs = Date.now();\n');
    addPackage('adapter', 'node-runtime', 'const nowMs = Date.now();\n');
    expect(problems()).toEqual([]);
  });
});

test('a package with another name than its folder, and an undeclared dependency, are problems', () => {
  put('libs/base/model/package.json', JSON.stringify({ name: '@tidemark/models' }));
  addPackage('base', 'bytes', "import { pack } from 'packer';\nimport fold from 'folder';\n", ['packer']);
  expect(problems()).toEqual([
    'libs/base/model/package.json: name is @tidemark/models (limit: @tidemark/model)',
    'libs/base/bytes/src/index.ts: imports folder, which its package.json does not have in dependencies',
  ]);
});

describe('packages of the project in package.json', () => {
  const USES_PORTS = "import type { Clock } from '@tidemark/ports';\n";
  const [ports, bytes] = ['@tidemark/ports', '@tidemark/bytes'];
  const where = 'libs/store/tag-store/package.json';

  test('sources need dependencies, also for types', () => {
    addPackage('store', 'tag-store', USES_PORTS, [], [ports]);
    expect(problems()).toEqual([`${where}: dependencies lack ${ports}, which sources import`]);
  });

  test.each(['index.test.ts', 'clock.fixture.ts', 'testing/clock.ts'])('src/%s needs one of both lists', (file) => {
    put(`libs/store/tag-store/src/${file}`, USES_PORTS);
    addPackage('store', 'tag-store');
    expect(problems()).toEqual([`${where}: devDependencies lack ${ports}, which tests import`]);
    addPackage('store', 'tag-store', '', [], [ports]);
    expect(problems()).toEqual([]);
    addPackage('store', 'tag-store', USES_PORTS, [ports]);
    expect(problems()).toEqual([]);
  });

  test('dependencies that only tests import are a problem', () => {
    put('libs/store/tag-store/src/index.test.ts', USES_PORTS);
    addPackage('store', 'tag-store', '', [ports]);
    expect(problems()).toEqual([
      `${where}: dependencies have ${ports}, which only tests import; move it to devDependencies`,
    ]);
  });

  test('an entry that no file imports, and one in both lists, are problems', () => {
    addPackage('base', 'bytes');
    addPackage('store', 'tag-store', USES_PORTS, [ports, bytes], [ports]);
    expect(problems()).toEqual([
      `${where}: dependencies have ${bytes}, which no file imports`,
      `${where}: devDependencies repeat ${ports} of dependencies`,
    ]);
    addPackage('store', 'tag-store', USES_PORTS, [ports], [bytes]);
    expect(problems()).toEqual([`${where}: devDependencies have ${bytes}, which no file imports`]);
  });
});

test('a file of more than 600 lines is a problem, also in tools', () => {
  put('tools/long.mjs', '\n'.repeat(600));
  expect(problems()).toEqual(['tools/long.mjs: 601 lines (limit: 600); split the file']);
});
