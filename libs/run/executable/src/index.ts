export type { EventLog } from './event-log.ts';
export { openEventLog } from './event-log.ts';
export { explain } from './failure.ts';
export { growHeapsFreely } from './heap-growth.ts';
export type { SettingsSources } from './settings-command.ts';
export { readSettings, settingsCommand } from './settings-command.ts';
export { readSettingsFile } from './settings-file.ts';
export { onStopSignal } from './stop-signal.ts';
export { shareNoWrappers } from './wasm-wrappers.ts';
