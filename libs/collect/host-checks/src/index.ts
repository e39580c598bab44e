export type { Check, CheckSink, HostFiles } from './check.ts';
export type { CheckStatus } from './check-run.ts';
export type { CheckRunnerOptions } from './check-runner.ts';
export { CheckRunner } from './check-runner.ts';
export type { HostCheckOptions } from './host-checks.ts';
export { hostChecks } from './host-checks.ts';
export { Rates } from './rates.ts';
