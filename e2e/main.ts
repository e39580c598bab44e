// `npm run e2e -- SCENARIO …`: scenarios that take longer than a test should.
import { refuseOptions } from '../tools/program-options.ts';
import { killEverything } from './kill-everything/main.ts';
import { prometheus } from './prometheus/main.ts';

const SCENARIOS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  'kill-everything': killEverything,
  prometheus,
};

const HELP = `Usage: npm run e2e -- SCENARIO [OPTIONS]

Runs a scenario that takes longer than a test should: ${Object.keys(SCENARIOS).join(', ')}.

  SCENARIO --help  show the options of a scenario
  --help           show this`;

const [name = '', ...args] = process.argv.slice(2);
if (name === '--help' || name === '-h') {
  console.log(HELP);
  process.exit(0);
}
const scenario = Object.hasOwn(SCENARIOS, name) ? SCENARIOS[name] : undefined;
if (scenario === undefined) refuseOptions(name === '' ? 'no scenario' : `unknown scenario ${name}`, HELP);
process.exit(await scenario(args));
