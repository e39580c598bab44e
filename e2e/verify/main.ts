import { messageOf } from '@tidemark/ports';
import { programOptions, refuseOptions } from '../../tools/program-options.ts';
import { verifyStart } from './start.ts';

/** `npm run verify -- start`: checks the first steps of a new user from outside. */
const CHECKS: Readonly<Record<string, () => Promise<void>>> = { start: verifyStart };

const HELP = `Usage: npm run verify -- [${Object.keys(CHECKS).join('|')}]

Checks the first steps of a new user from outside.

  --help  show this`;

const { positionals } = programOptions({ help: HELP }, { allowPositionals: true });
const [name = 'start'] = positionals;
const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
if (check === undefined) refuseOptions(`unknown check ${name}`, HELP);
try {
  await check();
  console.log(`verify ${name}: ok`);
  process.exit(0);
} catch (error) {
  console.error(`verify ${name}: ${messageOf(error)}`);
  process.exit(1);
}
