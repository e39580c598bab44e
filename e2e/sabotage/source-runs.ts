import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SourceSabotage } from './source-sabotages.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the test of a sabotage with the changed source. Returns true when the test failed: it has detected the sabotage. */
export async function isCaughtByTest({ name, caughtBy, title }: SourceSabotage): Promise<boolean> {
  const args = ['tools/test.mjs', '--config', 'e2e/sabotage/jest.config.mjs', caughtBy, '-t', title];
  const env = { ...process.env, CI: '', TIDEMARK_SABOTAGE: name };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await new Promise((resolve) => child.once('close', resolve));
  // A source that does not compile fails, too, but not by this test.
  return said.includes(`✕ ${title}`);
}
