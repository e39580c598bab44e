import type { Clock } from '@tidemark/ports';

/** What checks of other services need of the machine. */
export interface IntegrationPorts {
  readonly clock: Clock;
  readonly readText: (path: string) => Promise<string>;
}
