export type { HostCheckOptions } from './host-checks.ts';
export { hostChecks } from './host-checks.ts';
export type { HostFiles } from './host-files.ts';
