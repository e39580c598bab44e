import type { Clock, Disk, Random } from '@tidemark/ports';
import type { IntakeConnector } from './intake-connector.ts';

/** The machine and the network, as a client uses them. `connect` fills them in for a program on Node. */
export interface ClientPorts {
  readonly connector: IntakeConnector;
  /** Addresses of intakes, tried in turn from a random one on. */
  readonly addresses: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  /** Where unsettled batches survive a restart; without it they are kept in memory alone. */
  readonly disk?: Disk;
  /** Keeps the process alive until the returned function is called: timers of the clock don't. */
  readonly hold?: () => () => void;
}
