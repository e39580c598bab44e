import { GROUPS } from './schema.ts';
import type { ValueMeta } from './setting.ts';
import { SETTINGS, type Setting } from './setting-list.ts';

const HEAD = `# Settings

Set each setting by a flag of \`npm start --\` (or \`tidemark start\`), by an environment variable, or in a JSON file that
\`--settings FILE\` (or \`TIDEMARK_SETTINGS\`) names. Flags have precedence over variables, variables over the file, and
the file over the default.
In the file, settings are in their groups:

\`\`\`json
{ "http": { "port": 8080 }, "log": { "maxBytes": 10737418240 } }
\`\`\`

A list of texts is a JSON list in the file and is separated by commas elsewhere (\`--agent-tags env:prod,team:a\`). A list
of objects is JSON everywhere; write \`[{"url": …}]\` into the file.

A process refuses unknown settings and values out of range at its start, and names the limit. A variable \`TIDEMARK_…\` that is
near to no setting is ignored with a warning, and so are those that Kubernetes sets for a Service named \`tidemark\` or
\`tidemark-…\`, such as \`TIDEMARK_PORT=tcp://…\`. This page is generated
from the schema in \`libs/run/settings\` by \`node tools/generate-settings.mjs\`.
`;

/** Renders the reference of all settings, in Markdown. */
export function renderSettings(): string {
  const sections = Object.entries(GROUPS).map(([group, { title }]) => {
    const settings = SETTINGS.filter((setting) => setting.group === group);
    const head = '| setting | flag | what | default | range |\n| --- | --- | --- | --- | --- |\n';
    return `\n## ${title}\n\n${head}${settings.map(row).join('')}${settings.map(itemTable).join('')}`;
  });
  return `${HEAD}${sections.join('')}`;
}

function row({ key, flag, variable, isNegated, isSecret, ...meta }: Setting): string {
  const byFlag = isSecret === true ? '' : `\`--${flag}${meta.kind === 'boolean' ? '' : ' …'}\`<br>`;
  const spellings = `${byFlag}\`${variable}\`${isNegated === true ? ' (means false)' : ''}`;
  return `| \`${key}\` | ${spellings} | ${cells(meta)} |\n`;
}

/** Renders the settings of each item of a list of objects. */
function itemTable({ key, items }: Setting): string {
  if (items === undefined) return '';
  const rows = Object.entries(items).map(([name, meta]) => `| \`${name}\` | ${cells(meta)} |\n`);
  return `\nEach item of \`${key}\` has\n\n| key | what | default | range |\n| --- | --- | --- | --- |\n${rows.join('')}`;
}

function cells({ description, default: value, range, unit, isNeeded }: ValueMeta): string {
  const withUnit = unit === '' || unit === 'port' ? range : `${range} ${unit}`;
  const shown = Array.isArray(value) ? 'none' : value === '' ? 'empty' : `\`${value}\``;
  return `${description.replaceAll('|', '\\|')} | ${isNeeded === true ? 'needed' : shown} | ${withUnit}`;
}
