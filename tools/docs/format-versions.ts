/** A line `const VERSION = 3;` of a source file, where a program states the version of a format. */
export interface VersionConstant {
  readonly file: string;
  readonly version: number;
}

/** A row of the list of formats: its page, and the versions that it names, each with the file that states it. */
interface FormatRow {
  readonly page: string;
  readonly versions: readonly number[];
  readonly files: readonly string[];
}

/** The list of formats, with one row for each page. */
export const LIST = 'docs/formats/README.md';
const CONSTANT = /^(?:export )?const (?:[A-Z]+_)*VERSION = (\d+);$/gm;
const ROW = /^\| \[[^\]]+\]\(([\w./-]+\.md)\) \|.*\| ([\d, –]+) \| ([^|]*) \|$/gm;
const NAMED = /\b(?:version|format) (\d+)\b/gi;

/** Returns the version constants of a source file. */
export function versionConstants(file: string, source: string): VersionConstant[] {
  return [...source.matchAll(CONSTANT)].map(([, version]) => ({ file, version: Number(version) }));
}

/**
 * Compares what the list and the pages of formats say of versions with the constants of the code. `pages` are texts by
 * name, such as `block.md`. Returns a sentence for each difference; none when all agree.
 */
export function formatProblems(
  list: string,
  pages: ReadonlyMap<string, string>,
  constants: readonly VersionConstant[],
): string[] {
  const rows = [...list.matchAll(ROW)].map(([, page, versions, files]): FormatRow => {
    const numbers = versions.split(',').map(Number);
    return {
      page,
      versions: versions.trim() === '–' ? [] : numbers,
      files: [...files.matchAll(/`([^`]+)`/g)].map(([, file]) => file),
    };
  });
  const listed = new Set(rows.flatMap(({ files }) => files));
  return [
    ...[...pages.keys()]
      .filter((page) => rows.every((row) => row.page !== page))
      .map((page) => `${LIST}: no row with a version for ${page}`),
    ...rows.flatMap((row) => rowProblems(row, constants)),
    ...rows.flatMap((row) => pageProblems(row, pages.get(row.page))),
    ...constants
      .filter(({ file }) => !listed.has(file))
      .map(({ file, version }) => `${file}: version ${version} of a format that ${LIST} does not list`),
  ];
}

/** What files of a data folder begin with, as pages quote it, and the file of the code that states the version in it. */
const QUOTED: Readonly<Record<string, string>> = {
  'tidemark-log': 'libs/adapter/embedded-log/src/segment-format.ts',
  'tidemark-log-id': 'libs/run/assembly/src/processes/kept-log-id.ts',
};

/** Returns a sentence for each beginning of a file that a page quotes with another version than that of the code. */
export function quoteProblems(page: string, text: string, constants: readonly VersionConstant[]): string[] {
  return [...text.matchAll(/(?<=["`])(tidemark-[a-z-]+) (\d+)/g)].flatMap(([quote, name, version]) => {
    const stated = constants.find(({ file }) => file === QUOTED[name]);
    if (stated === undefined || stated.version === Number(version)) return [];
    return [`${page}: quotes "${quote}", and ${stated.file} has version ${stated.version}`];
  });
}

function rowProblems({ page, versions, files }: FormatRow, constants: readonly VersionConstant[]): string[] {
  if (files.length !== versions.length) return [`${LIST}: ${page} needs one file for each of its versions`];
  return [...new Set(files)].flatMap((file) => {
    const listed = versions.filter((_, i) => files[i] === file).join(' and ');
    const stated = constants.filter((one) => one.file === file).map(({ version }) => version);
    if (stated.join(' and ') === listed) return [];
    const is = stated.length === 0 ? 'no version' : `version ${stated.join(' and ')}`;
    return [`${LIST}: ${page} has version ${listed}, and ${file} has ${is}`];
  });
}

/** The title of a page ends with the newest version, and the page names none above it. */
function pageProblems({ page, versions: [version] }: FormatRow, text: string | undefined): string[] {
  // Pages of other folders describe more than a format.
  if (version === undefined || text === undefined) return [];
  const [title] = text.split('\n');
  const problems: string[] = [];
  if (!new RegExp(`, (version|format) ${version}$`).test(title)) {
    problems.push(`docs/formats/${page}: the title does not end with ", version ${version}"`);
  }
  const above = [...text.matchAll(NAMED)].map(([, named]) => Number(named)).filter((named) => named > version);
  if (above.length > 0) problems.push(`docs/formats/${page}: names version ${above[0]}, and the newest is ${version}`);
  return problems;
}
