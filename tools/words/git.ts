import { spawnSync } from 'node:child_process';

const MAX_BYTES = 256 * 1024 * 1024;

/** What a git command prints, or `undefined` when it fails or there is no git. `commit-subjects.test.ts` covers it. */
export function git(root: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: MAX_BYTES,
  });
  return status === 0 ? stdout : undefined;
}
