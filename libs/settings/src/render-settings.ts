import { GROUPS } from './schema.ts';
import { SETTINGS, type Setting } from './setting-list.ts';

const HEAD = `# Settings

Each setting is given by a flag of \`npm start --\` (or \`tidemark start\`), by an environment variable, or in a JSON
file that \`--settings FILE\` (or \`TIDEMARK_SETTINGS\`) names; the first of these that has it wins, then its default.
In the file, settings stand in their groups:

\`\`\`json
{ "http": { "port": 8080 }, "log": { "maxBytes": 10737418240 } }
\`\`\`

Unknown settings and values out of range are refused at the start, with the limit. This page is generated from the
schema in \`libs/settings\` by \`node tools/generate-settings.mjs\`.
`;

/** The reference of all settings, in Markdown. */
export function renderSettings(): string {
  const sections = Object.entries(GROUPS).map(([group, { title }]) => {
    const rows = SETTINGS.filter((setting) => setting.group === group).map(row);
    return `\n## ${title}\n\n| setting | flag | what | default | range |\n| --- | --- | --- | --- | --- |\n${rows.join('')}`;
  });
  return `${HEAD}${sections.join('')}`;
}

function row({ key, flag, variable, description, default: value, range, unit, kind, isNegated }: Setting): string {
  const what = description.replaceAll('|', '\\|');
  const spellings = `\`--${flag}${kind === 'boolean' ? '' : ' …'}\`<br>\`${variable}\`${isNegated === true ? ' (means false)' : ''}`;
  const withUnit = unit === '' || unit === 'port' ? range : `${range} ${unit}`;
  return `| \`${key}\` | ${spellings} | ${what} | ${value === '' ? 'empty' : `\`${value}\``} | ${withUnit} |\n`;
}
