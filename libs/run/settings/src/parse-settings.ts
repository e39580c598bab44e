import { messageOf, TidemarkError } from '@tidemark/ports';
import { readEnvironment } from './environment.ts';
import { SETTINGS_SCHEMA, type Settings } from './schema.ts';
import { SETTINGS, type Setting } from './setting-list.ts';
import { type Given, outOfRange, problemsWithin, unknown } from './setting-problems.ts';

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
  const given = new Map<string, Given>();
  // Later sources replace earlier ones.
  if (sources.file !== undefined) readFileText(sources.file, given, problems);
  useEnvironment(sources, given, problems);
  readFlags(sources.flags ?? {}, given, problems);
  const parsed = SETTINGS_SCHEMA.safeParse(nested(given));
  if (!parsed.success) {
    for (const { path, ...issue } of parsed.error.issues) {
      const setting = SETTINGS.find(({ group, name }) => group === path[0] && name === path[1]);
      const found = given.get(path.slice(0, 2).join('.'));
      if (setting === undefined || found === undefined) continue;
      const problem = issue.code === 'custom' ? issue.params?.problem : undefined;
      if (typeof problem === 'string') {
        problems.push(`${setting.key}: ${problem}, given by ${found.source}`);
        continue;
      }
      const words = issue.code === 'unrecognized_keys' ? issue.keys : [];
      if (path.length === 2) problems.push(outOfRange(setting, found));
      else problems.push(...problemsWithin(setting, found, path.slice(2), words));
    }
  }
  if (parsed.success && problems.length === 0) {
    problems.push(...contradictions(parsed.data));
    if (problems.length === 0) return parsed.data;
  }
  throw new TidemarkError('invalid_argument', problems.join('\n'), { problems: problems.length });
}

function contradictions({ store: { bucketMs, commitStepMs, retentionMs } }: Settings): string[] {
  const problems: string[] = [];
  if (bucketMs % commitStepMs !== 0) {
    problems.push(`store.bucketMs: ${bucketMs} (limit: a multiple of store.commitStepMs, which is ${commitStepMs})`);
  }
  // What is deleted can't be restored: a number of days must not be taken for milliseconds.
  if (retentionMs !== 0 && retentionMs < bucketMs) {
    problems.push(`store.retentionMs: ${retentionMs} (limit: 0, or at least store.bucketMs, which is ${bucketMs})`);
  }
  return problems;
}

function readFlags(
  flags: Readonly<Record<string, string | true>>,
  given: Map<string, Given>,
  problems: string[],
): void {
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
}

function useEnvironment(
  { environment = {}, onIgnored }: SettingsSources,
  given: Map<string, Given>,
  problems: string[],
): void {
  const found = readEnvironment(environment);
  for (const { setting, value } of found.settings) {
    given.set(setting.key, { value: readValue(setting, value), source: setting.variable });
  }
  problems.push(...found.problems);
  if (found.ignored.length > 0) onIgnored?.(found.ignored);
}

function readFileText(
  { name, text }: { readonly name: string; readonly text: string },
  given: Map<string, Given>,
  problems: string[],
): void {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    problems.push(`${name}: not JSON: ${messageOf(error)}`);
    return;
  }
  if (!isObject(file)) {
    problems.push(`${name}: must be an object of groups, such as {"http": {"port": 4270}}`);
    return;
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
