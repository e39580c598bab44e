export type { Check, CheckSink, LeftOut } from './check.ts';
export type { CheckStatus } from './check-run.ts';
export type { CheckRunnerOptions } from './check-runner.ts';
export { CheckRunner } from './check-runner.ts';
export { Rates } from './rates.ts';
