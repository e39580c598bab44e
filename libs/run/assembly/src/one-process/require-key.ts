import { isLoopbackAddress } from '@tidemark/access';
import type { ControlState } from '@tidemark/control-log';
import { TidemarkError } from '@tidemark/ports';
import type { Settings } from '@tidemark/settings';

/**
 * Throws `failed_precondition`, with the setting, when no key exists and either every caller needs one, so that none
 * could be created, or callers beyond loopback could connect.
 */
export function requireKey({ host, loopbackNeedsKey }: Settings['listen'], { keys }: Pick<ControlState, 'keys'>): void {
  if (keys.size > 0) return;
  if (loopbackNeedsKey) {
    const message =
      'no key exists and listen.loopbackNeedsKey prevents creating one; start without it, create a key, restart';
    throw new TidemarkError('failed_precondition', message, { setting: 'listen.loopbackNeedsKey' });
  }
  if (host === 'localhost' || isLoopbackAddress(host)) return;
  throw new TidemarkError(
    'failed_precondition',
    `no key exists yet, so the platform can listen only on loopback, not on ${host}`,
    {
      setting: 'listen.host',
    },
  );
}
