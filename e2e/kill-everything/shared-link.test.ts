import { expect, test } from '@jest/globals';
import type { LinkMode } from '@tidemark/child-process';
import { SharedLink } from './shared-link.ts';

test('a link that two parts have cut opens when both have opened it', () => {
  const modes: LinkMode[] = [];
  const link = new SharedLink({ set: (mode) => modes.push(mode) });
  link.set('broker-1', 'cut');
  link.set('intake-1', 'mute');
  link.set('broker-1', 'open');
  link.set('intake-1', 'open');
  expect(modes).toEqual(['cut', 'cut', 'mute', 'open']);
});
