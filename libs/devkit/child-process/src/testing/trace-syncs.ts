import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What a power loss could have taken when a program had printed a line. */
export interface UnsyncedAt {
  /** The line. */
  readonly step: string;
  /** Files with bytes that were not synced. */
  readonly files: readonly string[];
  /** Folders in which a name was made, changed or removed without a sync of the folder. */
  readonly folders: readonly string[];
}

/** Not ftruncate: RocksDB cuts off the space that it has reserved behind the end of a file when it closes one. */
const CALLS = 'openat,mkdir,rename,unlink,unlinkat,rmdir,write,pwrite64,fsync,fdatasync';
const NAME_CALLS = new Set(['mkdir', 'unlink', 'unlinkat', 'rmdir']);

/** True where the system calls of a program can be read: on Linux with strace, as far as the machine allows it. */
export function canTraceSyncs(): boolean {
  return spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0;
}

/**
 * Runs a program that prints a line after each of its steps, and returns for each line what was not synced in `folder` by
 * then. Only synced bytes and names survive a power loss.
 */
export function traceSyncs(folder: string, command: readonly string[]): UnsyncedAt[] {
  const own = mkdtempSync(join(tmpdir(), 'tidemark-trace-'));
  try {
    const file = join(own, 'calls');
    execFileSync('strace', ['-f', '-y', '-s', '200', '-e', `trace=${CALLS}`, '-o', file, ...command]);
    return unsyncedOf(readFileSync(file, 'utf8'), folder);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** Follows a trace of system calls. */
export function unsyncedOf(trace: string, folder: string): UnsyncedAt[] {
  const files = new Set<string>();
  const folders = new Set<string>();
  const found: UnsyncedAt[] = [];
  const isOwn = (path: string) => path === folder || path.startsWith(`${folder}/`);
  const named = (path: string) => {
    if (isOwn(path)) folders.add(dirname(path));
  };
  for (const { call, args } of completedCalls(trace)) {
    const path = /<([^>]*)>/.exec(args)?.[1] ?? '';
    const names = [...args.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, name]) => name);
    if (call === 'write' && args.startsWith('1<')) {
      found.push({ step: names[0].replace(/\\n$/, ''), files: [...files].sort(), folders: [...folders].sort() });
    } else if (call === 'fsync' || call === 'fdatasync') {
      files.delete(path);
      if (call === 'fsync') folders.delete(path);
    } else if (call === 'rename') {
      for (const name of names) named(name);
      if (files.delete(names[0])) files.add(names[1]);
    } else if (NAME_CALLS.has(call)) {
      named(names[0]);
      if (call !== 'mkdir') {
        files.delete(names[0]);
        folders.delete(names[0]);
      }
    } else if (call === 'openat') {
      if (args.includes('O_CREAT')) named(names[0]);
    } else if (isOwn(path)) files.add(path);
  }
  return found;
}

/** Returns the calls that succeeded, in the order in which they returned. */
function* completedCalls(trace: string): Generator<{ call: string; args: string }> {
  const begun = new Map<string, string>();
  for (const line of trace.split('\n')) {
    const [, thread, text] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (text === undefined) continue;
    if (text.endsWith('<unfinished ...>')) {
      begun.set(thread, text.slice(0, -'<unfinished ...>'.length).trimEnd());
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    const whole = resumed === null ? text : `${begun.get(thread) ?? ''}${resumed[1]}`;
    const [, call, args, result] = /^(\w+)\((.*)\)\s+= (-?\d+)/.exec(whole) ?? [];
    if (call !== undefined && Number(result) >= 0) yield { call, args };
  }
}
