import type { SkipInfo } from './control-entries.ts';
import type { ControlFollower } from './control-log.ts';

/** Tells of every skip that is in force, and then of each that comes; of one perhaps twice, of void ones never. */
export function followSkips(control: ControlFollower, tell: (skip: SkipInfo) => void): void {
  const { state } = control;
  const tellAll = (): void => {
    for (const skip of state.skips) tell(skip);
  };
  control.listen((message) => {
    if (message.$case === 'checkpoint') tellAll();
    if (message.$case !== 'skip') return;
    const { topic, partition, offset } = message.value;
    // A void decision gives no reason.
    const reason = state.skipReason(topic, partition, offset);
    if (reason !== undefined) tell({ topic, partition, offset, reason });
  });
  tellAll();
}
