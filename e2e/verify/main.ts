import { messageOf } from '@tidemark/ports';
import { verifyStart } from './start.ts';

/** `npm run verify -- start`: checks the first steps of a new user from outside. */
const CHECKS: Readonly<Record<string, () => Promise<void>>> = { start: verifyStart };

const name = process.argv[2] ?? 'start';
const check = CHECKS[name];
if (check === undefined) {
  console.error(`unknown check ${name} (limit: ${Object.keys(CHECKS).join(', ')})`);
  process.exit(2);
}
try {
  await check();
  console.log(`verify ${name}: ok`);
  process.exit(0);
} catch (error) {
  console.error(`verify ${name}: ${messageOf(error)}`);
  process.exit(1);
}
