import type { SkipInfo } from './control-entries.ts';
import type { ControlFollower } from './control-log.ts';

/**
 * Reports every skip in force, then each new one, until the returned function is called. It may report a skip twice, and
 * never reports a void one.
 */
export function followSkips(control: ControlFollower, report: (skip: SkipInfo) => void): () => void {
  const { state } = control;
  const reportAll = (): void => {
    for (const skip of state.skips) report(skip);
  };
  const unlisten = control.listen((message) => {
    if (message.$case === 'checkpoint') reportAll();
    if (message.$case !== 'skip') return;
    const { topic, partition, offset } = message.value;
    // A void decision gives no reason.
    const reason = state.skipReason(topic, partition, offset);
    if (reason !== undefined) report({ topic, partition, offset, reason });
  });
  reportAll();
  return unlisten;
}
