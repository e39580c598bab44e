import { expect, test } from '@jest/globals';
import type { Check } from '@tidemark/checks';
import { withUnits } from './host-units.ts';

class FullCheck implements Check {
  readonly name = 'full';
  readonly everyMs = 60_000;
  readonly phaseMs = 500;
  #isOpen = true;

  async run(): Promise<void> {}

  detail(): Record<string, string> {
    return { state: this.#isOpen ? 'open' : 'closed' };
  }

  leftOut(): { reason: string; count: number; example: string }[] {
    return [{ reason: 'too_long', count: 1, example: '' }];
  }

  async close(): Promise<void> {
    this.#isOpen = false;
  }
}

test('a check with units is still all of the check', async () => {
  const check = withUnits(new FullCheck());
  expect(check).toMatchObject({ name: 'full', everyMs: 60_000, phaseMs: 500 });
  expect(check.leftOut?.()).toHaveLength(1);
  expect(check.detail?.()).toEqual({ state: 'open' });
  await check.close?.();
  expect(check.detail?.()).toEqual({ state: 'closed' });
});
