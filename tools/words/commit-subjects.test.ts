import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newSubjects, subjectProblems } from './commit-subjects.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-subjects-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function git(...args: string[]): void {
  const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...who, ...args], { cwd: folder, stdio: 'ignore' });
}

test('a subject of 72 characters passes, one of 73 is named with its length', () => {
  expect(subjectProblems(['a'.repeat(72)])).toEqual([]);
  expect(subjectProblems(['a'.repeat(73)])).toEqual([expect.stringContaining('73 characters (limit: 72)')]);
});

test('without origin/main the newest commit is checked', () => {
  git('init', '--initial-branch=main');
  for (const subject of ['first', 'second']) git('commit', '--allow-empty', '-m', subject, '-m', 'a body');
  expect(newSubjects(folder)).toEqual(['second']);
});

test('with origin/main the commits that it lacks are checked, except merges', () => {
  git('init', '--initial-branch=main');
  git('commit', '--allow-empty', '-m', 'first');
  git('update-ref', 'refs/remotes/origin/main', 'HEAD');
  git('checkout', '-b', 'side');
  git('commit', '--allow-empty', '-m', 'second');
  git('checkout', 'main');
  git('commit', '--allow-empty', '-m', 'third');
  git('merge', '--no-ff', '-m', 'merge', 'side');
  expect(newSubjects(folder).sort()).toEqual(['second', 'third']);
});

test('outside of a repository there are none', () => {
  expect(newSubjects(join(folder, 'none'))).toEqual([]);
});
