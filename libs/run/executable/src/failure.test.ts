import { describe, expect, test } from '@jest/globals';
import { TidemarkError } from '@tidemark/ports';
import { SETTINGS } from '@tidemark/settings';
import { explain } from './failure.ts';

/** Flags of the command line that are not settings. */
const OTHER_FLAGS = ['--scope'];

describe('the advice for a setting', () => {
  test.each(SETTINGS)(
    'the advice for $key names only flags and variables that exist, its own among them',
    (setting) => {
      const advice = explain(new TidemarkError('invalid_argument', 'wrong', { setting: setting.key }));
      const flags = advice.match(/--[A-Za-z-]+/g) ?? [];
      const variables = advice.match(/TIDEMARK_\w+/g) ?? [];
      const own = setting.isSecret === true ? [] : [`--${setting.flag}`];
      expect(flags).toEqual(expect.arrayContaining(own));
      expect([
        ...OTHER_FLAGS,
        ...SETTINGS.filter(({ isSecret }) => isSecret !== true).map(({ flag }) => `--${flag}`),
      ]).toEqual(expect.arrayContaining(flags));
      expect(SETTINGS.map(({ variable }) => variable)).toEqual(expect.arrayContaining(variables));
      if (!setting.key.startsWith('listen.')) expect(variables).toEqual([setting.variable]);
    },
  );

  test('a host needs a key first, or is wrong itself', () => {
    const of = (code: 'failed_precondition' | 'unavailable') =>
      explain(new TidemarkError(code, 'wrong', { setting: 'listen.host' }));
    expect(of('failed_precondition')).toContain('keys create');
    expect(of('unavailable')).toBe('wrong\nChoose another with --host (or TIDEMARK_HOST).');
  });

  test('a setting that does not exist gets no advice', () => {
    expect(explain(new TidemarkError('invalid_argument', 'wrong', { setting: 'no.such' }))).toBe('wrong');
  });

  test('the advice spells a flag of two words as the command line does', () => {
    const error = new TidemarkError('not_found', 'kafka.caFile: cannot read ca.pem', { setting: 'kafka.caFile' });
    expect(explain(error)).toBe(
      'kafka.caFile: cannot read ca.pem\nChoose another with --kafka-ca-file (or TIDEMARK_KAFKA_CA_FILE).',
    );
  });
});
