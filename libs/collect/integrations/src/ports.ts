import type { Clock } from '@tidemark/ports';

/** Services of the machine that checks of other services use. */
export interface IntegrationPorts {
  readonly clock: Clock;
  readonly readText: (path: string) => Promise<string>;
}
