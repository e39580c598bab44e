import { git } from './git.ts';

/** Lines that were added, by path; `all` for a file that git does not track yet. */
export type ChangedLines = ReadonlyMap<string, ReadonlySet<number> | 'all'>;

/**
 * Lines that the working tree adds to the newest commit that is on the main branch already, or to the newest commit where
 * that branch is unknown. Empty outside of a git repository.
 */
export function changedLines(root: string): ChangedLines {
  const bases = ['origin/main', 'main'].map((branch) => git(root, ['merge-base', branch, 'HEAD'])?.trim());
  const base = bases.find((one) => one !== undefined) ?? 'HEAD';
  const changed = new Map(addedLines(git(root, ['diff', '--unified=0', '--no-color', base]) ?? ''));
  const untracked = git(root, ['ls-files', '--others', '--exclude-standard']) ?? '';
  for (const path of untracked.split('\n')) if (path !== '') changed.set(path, 'all');
  return changed;
}

/** Added lines of a diff without context. */
export function addedLines(diff: string): Map<string, Set<number> | 'all'> {
  const lines = new Map<string, Set<number> | 'all'>();
  let current = new Set<number>();
  for (const line of diff.split('\n')) {
    const path = /^\+\+\+ b\/(.*)$/.exec(line)?.[1];
    if (path !== undefined) {
      current = new Set();
      lines.set(path, current);
    }
    const hunk = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (hunk === null) continue;
    const first = Number(hunk[1]);
    for (let i = 0; i < Number(hunk[2] ?? 1); i++) current.add(first + i);
  }
  return lines;
}
