import { SETTINGS, type Setting } from './setting-list.ts';
import { editDistance } from './suggest.ts';

const PREFIX = 'TIDEMARK_';
/** Environment variables of the program that are not settings of the platform. */
const OTHER_VARIABLES: readonly string[] = ['TIDEMARK_SETTINGS', 'TIDEMARK_ADDRESS', 'TIDEMARK_KEY'];
/** Variables of test runs and of tools of the repository. */
const OF_TOOLS = /^TIDEMARK_(TEST_|URL$|CACHE$)/;
/**
 * Variables that Kubernetes sets in every container for each Service whose name begins with `tidemark`, as Docker did for
 * linked containers: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
const OF_A_SERVICE = /^TIDEMARK_(.+_)?(SERVICE_(HOST|PORT)(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
/** The value of `NAME_PORT` of a Service. A Service `tidemark-http` has the variable of the setting `http.port`. */
const ADDRESS_OF_A_SERVICE = /^(tcp|udp|sctp):\/\//;
/** A shorter word is another word as soon as two of its letters differ. */
const LONG_WORD = 5;
/** Shorter beginnings and ends of settings are not taken for the setting. */
const SHORTEST_PART = 4;
const SHOWN_NEAR = 3;

/** What the environment says. */
export interface EnvironmentSettings {
  readonly settings: readonly { readonly setting: Setting; readonly value: string }[];
  /** One for each variable that looks like a mistyped setting. */
  readonly problems: readonly string[];
  /** Variables with the prefix of settings that mean something else, or nothing. */
  readonly ignored: readonly string[];
}

/**
 * Sorts the variables with the prefix of settings. An unknown one that is near to a setting is a problem: a mistyped
 * setting must not go unnoticed. Others are ignored, since a program cannot know what else sets them.
 */
export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): EnvironmentSettings {
  const settings: EnvironmentSettings['settings'][number][] = [];
  const problems: string[] = [];
  const ignored: string[] = [];
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || value === undefined || OTHER_VARIABLES.includes(variable)) continue;
    const setting = SETTINGS.find((one) => one.variable === variable);
    const isOfService = OF_A_SERVICE.test(variable) || (variable.endsWith('_PORT') && ADDRESS_OF_A_SERVICE.test(value));
    if (setting !== undefined && !isOfService) settings.push({ setting, value });
    else if (isOfService) ignored.push(variable);
    else if (!OF_TOOLS.test(variable)) {
      const near = nearVariables(variable);
      if (near.length > 0) problems.push(`${variable} is not a setting; did you mean ${near.join(' or ')}?`);
      else ignored.push(variable);
    }
  }
  return { settings, problems, ignored };
}

/** The nearest variables of settings that a mistyped one may mean, or of which it is the beginning or the end. */
function nearVariables(variable: string): string[] {
  const word = variable.slice(PREFIX.length);
  const maxDistance = word.length < LONG_WORD ? 1 : Math.max(2, Math.floor(word.length / 4));
  const known = [...SETTINGS.map((one) => one.variable), ...OTHER_VARIABLES];
  const distanceOf = (one: string) => editDistance(word, one.slice(PREFIX.length));
  const mistyped = known.filter((one) => distanceOf(one) <= maxDistance).sort((a, b) => distanceOf(a) - distanceOf(b));
  if (mistyped.length > 0) return mistyped.slice(0, 1);
  if (word.length < SHORTEST_PART) return [];
  return known.filter((one) => one.endsWith(`_${word}`) || one.startsWith(`${variable}_`)).slice(0, SHOWN_NEAR);
}
