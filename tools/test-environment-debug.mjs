// Environment of `npm test -- --debug` without time limits: a test at a breakpoint must not time out.
import { TestEnvironment } from 'jest-environment-node';

/** Max delay of a timer, 24 days. Jest reads 0 as its default. */
const NO_LIMIT_MS = 2 ** 31 - 1;

export default class DebugEnvironment extends TestEnvironment {
  handleTestEvent(event) {
    if (event.name === 'test_start') event.test.timeout = NO_LIMIT_MS;
    if (event.name === 'hook_start') event.hook.timeout = NO_LIMIT_MS;
  }
}
