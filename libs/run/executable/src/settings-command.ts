import { doubtfulSettings, parseSettings, SETTINGS, type Settings } from '@tidemark/settings';
import { Command, Option } from 'commander';
import { readSettingsFile } from './settings-file.ts';

const HELP = `
Every other setting has a flag too, such as --point-tag-bytes: docs/settings.md lists them.
Each is also an environment variable (TIDEMARK_HTTP_PORT for --http-port), or a line of the --settings file.

Ctrl-C stops cleanly, a second Ctrl-C stops at once; in both cases nothing acknowledged is lost.`;

/**
 * Creates a command that accepts each setting of `groups` (default: all) as a flag, and a file of settings with
 * `--settings`. The file may have all settings, so that the processes of a deployment can share it.
 */
export function settingsCommand(name: string, description: string, groups?: readonly (keyof Settings)[]): Command {
  const command = new Command(name).description(description);
  const known: readonly string[] | undefined = groups;
  for (const { group, flag, kind, description: what, flagDescription, default: value, isMain, isSecret } of SETTINGS) {
    if (known?.includes(group) === false || isSecret === true) continue;
    const option = new Option(kind === 'boolean' ? `--${flag}` : `--${flag} <value>`);
    const shown = Array.isArray(value) ? 'none' : value;
    option.description = kind === 'boolean' ? (flagDescription ?? what) : `${what} (default: ${shown})`;
    command.addOption(option.hideHelp(isMain !== true));
  }
  return command.option('--settings <file>', 'JSON file of settings').addHelpText('after', HELP);
}

const FLAGS: ReadonlySet<string> = new Set(SETTINGS.map(({ flag }) => flag.replace(/^no-/, '')));
/** How many ignored variables a warning names. */
const NAMED_VARIABLES = 50;

/** Sources of settings other than the command line. */
export interface SettingsSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readText: (file: string) => Promise<string>;
  /** Receives a line about variables of the environment that have no effect, and one for each doubtful setting. */
  readonly warn: (line: string) => void;
}

/** Reads the settings of a parsed `settingsCommand`: flags, then the environment, then the file, then defaults. */
export async function readSettings(command: Command, sources: SettingsSources): Promise<Settings> {
  const { environment, readText, warn } = sources;
  const flags: Record<string, string | true> = {};
  for (const option of command.options) {
    const { long, negate } = option;
    // A command may have options of its own.
    if (long === undefined || !FLAGS.has(long.slice(2).replace(/^no-/, ''))) continue;
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== 'cli') continue;
    flags[long.slice(2)] = negate ? true : command.getOptionValue(name);
  }
  const file: string | undefined = command.getOptionValue('settings') ?? environment.TIDEMARK_SETTINGS;
  const onIgnored = (variables: readonly string[]): void => warn(ignoredVariables(variables));
  const given = { flags, environment, onIgnored };
  const settings = parseSettings(
    file === undefined ? given : { ...given, file: await readSettingsFile(file, readText) },
  );
  for (const warning of doubtfulSettings(settings)) warn(warning);
  return settings;
}

function ignoredVariables(variables: readonly string[]): string {
  const names = variables.slice(0, NAMED_VARIABLES).join(', ');
  const more = variables.length > NAMED_VARIABLES ? ` and ${variables.length - NAMED_VARIABLES} more` : '';
  return (
    `no settings, ignored: ${names}${more}; docs/settings.md lists the settings ` +
    '(Kubernetes sets such variables for each Service, unless a pod has enableServiceLinks: false)'
  );
}
