import { git } from './git.ts';

/** Characters of a commit's subject at most. */
export const SUBJECT_CHARACTERS = 72;

/**
 * Subjects of the commits that are not on `origin/main` yet; of the newest commit alone where that branch is unknown,
 * as in a shallow clone. Merges are left out. Empty outside of a git repository.
 */
export function newSubjects(root: string): string[] {
  const isKnown = git(root, ['rev-parse', '--verify', '--quiet', 'origin/main']) !== undefined;
  const range = isKnown ? ['origin/main..HEAD'] : ['-1', 'HEAD'];
  return (git(root, ['log', '--no-merges', '--format=%s', ...range]) ?? '').split('\n').filter((line) => line !== '');
}

/** A problem for each subject that is too long. */
export function subjectProblems(subjects: readonly string[]): string[] {
  return subjects
    .filter((subject) => [...subject].length > SUBJECT_CHARACTERS)
    .map(
      (subject) =>
        `commit "${subject}": ${[...subject].length} characters (limit: ${SUBJECT_CHARACTERS}): move the reason to the body`,
    );
}
