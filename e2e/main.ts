// `npm run e2e -- SCENARIO …`: scenarios that take longer than a test should.
import { killEverything } from './kill-everything/main.ts';
import { prometheus } from './prometheus/main.ts';

const SCENARIOS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  'kill-everything': killEverything,
  prometheus,
};

const [name = '', ...args] = process.argv.slice(2);
const scenario = SCENARIOS[name];
if (scenario === undefined) {
  console.error(`usage: npm run e2e -- SCENARIO …, scenarios: ${Object.keys(SCENARIOS).join(', ')}`);
  process.exit(2);
}
process.exit(await scenario(args));
