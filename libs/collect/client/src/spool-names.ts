import { type DataFileKind, FILE_KIND } from './spool-format.ts';

/** The folder of a client's spool. */
export const SPOOL_FOLDER = 'spool';

const SUFFIX: Readonly<Record<DataFileKind, string>> = {
  [FILE_KIND.definitions]: 'definitions',
  [FILE_KIND.waiting]: 'waiting',
  [FILE_KIND.stamped]: 'stamped',
};

/** `00000001.definitions`, `00000002.waiting`, `00000003.stamped`: one row of numbers for all. */
export function fileName(number: number, kind: DataFileKind): string {
  return `${padded(number)}.${SUFFIX[kind]}`;
}

/** The number and kind that a data file's name says, or undefined for other files. */
export function fileOfName(name: string): { number: number; kind: DataFileKind } | undefined {
  const match = /^(\d{8})\.([a-z]+)$/.exec(name);
  const kinds = [FILE_KIND.definitions, FILE_KIND.waiting, FILE_KIND.stamped];
  const kind = kinds.find((one) => SUFFIX[one] === match?.[2]);
  return match === null || kind === undefined ? undefined : { number: Number(match[1]), kind };
}

/** The files of a client session, by the name of its folder in hexadecimal digits. */
export interface SessionFiles {
  readonly session: string;
  /** Its indexes, oldest first; more than one after a crash while it was rewritten. */
  readonly indexes: readonly IndexName[];
}

export interface IndexName {
  readonly path: string;
  readonly generation: number;
}

/** `spool/0a1b….00000001.index`: not in the folder of the session, so that it is left when the folder is gone. */
export function indexPath(session: string, generation: number): string {
  return `${SPOOL_FOLDER}/${session}.${padded(generation)}.index`;
}

/** The client sessions that the entries of the spool folder belong to. */
export function sessionsOf(names: readonly string[]): SessionFiles[] {
  const indexes = new Map<string, IndexName[]>();
  for (const name of names) {
    const match = /^([0-9a-f]{32})(?:\.(\d{8})\.index)?$/.exec(name);
    if (match === null) continue;
    const [, session, generation] = match;
    const known = indexes.get(session) ?? [];
    indexes.set(session, known);
    if (generation !== undefined) known.push({ path: `${SPOOL_FOLDER}/${name}`, generation: Number(generation) });
  }
  return [...indexes].map(([session, list]) => ({
    session,
    indexes: list.sort((a, b) => a.generation - b.generation),
  }));
}

function padded(number: number): string {
  return String(number).padStart(8, '0');
}
