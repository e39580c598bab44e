import { Access } from '@tidemark/access';
import type { ControlState } from '@tidemark/control-log';
import type { Settings } from '@tidemark/settings';

/**
 * Creates the access by the keys in `control`, according to the settings. `state` may throw `unavailable` while
 * `control` is not followed yet: then a caller with a key gets that error.
 */
export function assembleAccess(
  state: () => Pick<ControlState, 'keys' | 'wereKeysCreated' | 'lost'>,
  settings: Settings,
  ownKey?: string,
): Access {
  const registry = {
    get keys() {
      return state().keys;
    },
    get wereKeysCreated() {
      return state().wereKeysCreated;
    },
    get lost() {
      return state().lost;
    },
  };
  return new Access(registry, { loopbackNeedsKey: settings.listen.loopbackNeedsKey, ownKey });
}
