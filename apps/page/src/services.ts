import { createContext, useContext } from 'react';
import { ApiClient } from './api/api-client.ts';
import { ServerClock } from './server-clock.ts';

/** Services that all parts of the page use. */
export interface Services {
  readonly client: ApiClient;
  readonly clock: ServerClock;
  /** Stores a key for the lifetime of this tab. */
  readonly setKey: (key: string) => void;
}

const KEY_NAME = 'tidemark.key';

export function createServices(): Services {
  const key = (): string => sessionStorage.getItem(KEY_NAME) ?? '';
  const client = new ApiClient({ baseUrl: '.', fetch: (url, init) => fetch(url, init), key });
  return {
    client,
    clock: new ServerClock(() => Date.now()),
    setKey: (value) => sessionStorage.setItem(KEY_NAME, value),
  };
}

export const ServicesContext = createContext<Services | undefined>(undefined);

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === undefined) throw new Error('useServices must be called below ServicesContext');
  return services;
}
