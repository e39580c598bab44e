import { messageOf, TidemarkError } from '@tidemark/ports';
import type { ZodError } from 'zod';
import { readEnvironment } from './environment.ts';
import { SETTINGS_SCHEMA, type Settings } from './schema.ts';
import { SETTINGS, type Setting } from './setting-list.ts';
import { type Given, outOfRange, placeWithin, problemsWithin, unknown } from './setting-problems.ts';

/** Sources of settings, in the order of their precedence; a setting that none has gets its default. */
export interface SettingsSources {
  /** By flag without its dashes; `true` for a flag without a value. */
  readonly flags?: Readonly<Record<string, string | true>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly file?: { readonly name: string; readonly text: string };
  /** Called with the environment variables that have the prefix of settings and are none. */
  readonly onIgnored?: (variables: readonly string[]) => void;
}

/**
 * Parses and checks all settings. Error: `invalid_argument` with every key that is unknown or out of its range, its
 * source, and the limit.
 */
export function parseSettings(sources: SettingsSources): Settings {
  const problems: string[] = [];
  // Later sources replace earlier ones.
  const sourcesInOrder = [
    fromFile(sources.file, problems),
    fromEnvironment(sources, problems),
    fromFlags(sources.flags ?? {}, problems),
  ];
  const given = new Map(sourcesInOrder.flatMap((source) => [...source]));
  const parsed = SETTINGS_SCHEMA.safeParse(nested(given));
  if (!parsed.success) problems.push(...problemsOf(parsed.error, given));
  for (const source of sourcesInOrder) {
    // A wrong value that is replaced now would be refused at the first start without its replacement.
    const replaced = new Map([...source].filter(([key, one]) => given.get(key) !== one));
    const { error } = SETTINGS_SCHEMA.safeParse(nested(replaced));
    if (error !== undefined) problems.push(...problemsOf(error, replaced));
  }
  if (parsed.success && problems.length === 0) {
    problems.push(...contradictions(parsed.data));
    if (problems.length === 0) return parsed.data;
  }
  throw new TidemarkError('invalid_argument', problems.join('\n'), { problems: problems.length });
}

/** Words the issues of the settings that were given. */
function problemsOf({ issues }: ZodError, given: ReadonlyMap<string, Given>): string[] {
  return issues.flatMap(({ path, ...issue }) => {
    const setting = SETTINGS.find(({ group, name }) => group === path[0] && name === path[1]);
    const found = given.get(path.slice(0, 2).join('.'));
    if (setting === undefined || found === undefined) return [];
    const within = path.slice(2);
    const problem = issue.code === 'custom' ? issue.params?.problem : undefined;
    if (typeof problem === 'string') return [`${placeWithin(setting, within)}: ${problem}, given by ${found.source}`];
    const words = issue.code === 'unrecognized_keys' ? issue.keys : [];
    return within.length === 0 ? [outOfRange(setting, found)] : problemsWithin(setting, found, within, words);
  });
}

function contradictions({ store: { bucketMs, commitStepMs, retentionMs }, objects, archive }: Settings): string[] {
  const problems: string[] = [];
  if (objects.store === 's3' && objects.bucket === '') {
    problems.push('objects.bucket: empty (limit: the name of a bucket, with objects.store s3)');
  }
  if (bucketMs % commitStepMs !== 0) {
    problems.push(`store.bucketMs: ${bucketMs} (limit: a multiple of store.commitStepMs, which is ${commitStepMs})`);
  }
  // What is deleted can't be restored: a number of days must not be taken for milliseconds.
  if (archive.retentionMs !== 0 && (retentionMs === 0 || archive.retentionMs < retentionMs)) {
    const limit =
      retentionMs === 0 ? '0, as store.retentionMs' : `0, or at least store.retentionMs, which is ${retentionMs}`;
    problems.push(`archive.retentionMs: ${archive.retentionMs} (limit: ${limit})`);
  }
  if (retentionMs !== 0 && retentionMs < bucketMs) {
    problems.push(`store.retentionMs: ${retentionMs} (limit: 0, or at least store.bucketMs, which is ${bucketMs})`);
  }
  return problems;
}

function fromFlags(flags: Readonly<Record<string, string | true>>, problems: string[]): Map<string, Given> {
  const given = new Map<string, Given>();
  for (const [flag, value] of Object.entries(flags)) {
    const setting = SETTINGS.find((one) => one.flag === flag);
    if (setting?.isSecret === true) {
      problems.push(`--${flag}: every user of the machine can read a command line; use ${setting.variable}`);
    } else if (setting !== undefined) {
      given.set(setting.key, { value: readValue(setting, value), source: `--${flag}` });
    } else
      problems.push(
        unknown(
          `--${flag}`,
          SETTINGS.map((one) => `--${one.flag}`),
        ),
      );
  }
  return given;
}

function fromEnvironment({ environment = {}, onIgnored }: SettingsSources, problems: string[]): Map<string, Given> {
  const given = new Map<string, Given>();
  const found = readEnvironment(environment);
  for (const { setting, value } of found.settings) {
    given.set(setting.key, { value: readValue(setting, value), source: setting.variable });
  }
  problems.push(...found.problems);
  if (found.ignored.length > 0) onIgnored?.(found.ignored);
  return given;
}

function fromFile(source: SettingsSources['file'], problems: string[]): Map<string, Given> {
  const given = new Map<string, Given>();
  if (source === undefined) return given;
  const { name, text } = source;
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    problems.push(`${name}: not JSON: ${messageOf(error)}`);
    return given;
  }
  if (!isObject(file)) {
    problems.push(`${name}: must be an object of groups, such as {"http": {"port": 4270}}`);
    return given;
  }
  const groups = [...new Set(SETTINGS.map((setting) => setting.group))];
  for (const [group, values] of Object.entries(file)) {
    if (!groups.includes(group)) problems.push(`${name}: ${unknown(group, groups)}`);
    else if (!isObject(values)) problems.push(`${name}: ${group} must be an object of settings`);
    else {
      for (const [key, value] of Object.entries(values)) {
        const setting = SETTINGS.find((one) => one.group === group && one.name === key);
        if (setting !== undefined) given.set(setting.key, { value, source: name });
        else
          problems.push(
            `${name}: ${unknown(
              `${group}.${key}`,
              SETTINGS.map((one) => one.key),
            )}`,
          );
      }
    }
  }
  return given;
}

/**
 * Converts the text of a flag or a variable to the setting's type; text that does not fit is left for the schema to
 * refuse.
 */
function readValue(setting: Setting, value: string | true): unknown {
  if (setting.kind === 'text') return value;
  if (setting.kind === 'number') {
    return value !== true && /^-?\d+(\.\d+)?(e-?\d+)?$/i.test(value.trim()) ? Number(value) : value;
  }
  if (setting.kind === 'list') return value === true ? value : readList(setting, value.trim());
  const said = value === true || value === 'true' || value === '1' ? true : value;
  const truth = said === 'false' || said === '0' ? false : said;
  return typeof truth === 'boolean' && setting.isNegated === true ? !truth : truth;
}

/** Parses a list: JSON, or texts separated by commas. */
function readList({ items }: Setting, value: string): unknown {
  if (value.startsWith('[')) {
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  }
  if (items !== undefined && value !== '') return value;
  return value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function nested(given: ReadonlyMap<string, Given>): Record<string, Record<string, unknown>> {
  const groups: Record<string, Record<string, unknown>> = {};
  for (const { group, name, key } of SETTINGS) {
    const found = given.get(key);
    if (found === undefined) continue;
    groups[group] ??= {};
    groups[group][name] = found.value;
  }
  return groups;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
