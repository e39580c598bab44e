export { doubtfulSettings } from './doubtful-settings.ts';
export { noPartitions } from './parse-lists.ts';
export type { SettingsSources } from './parse-settings.ts';
export { parseSettings } from './parse-settings.ts';
export { renderSettings } from './render-settings.ts';
export type { Settings } from './schema.ts';
export type { Setting } from './setting-list.ts';
export { SETTINGS } from './setting-list.ts';
export { suggest } from './suggest.ts';
