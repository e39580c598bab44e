import { TcpLink } from '@tidemark/child-process';
import type { BrokerEndpoint } from '@tidemark/kafka-brokers';
import type { ServiceEndpoint } from '@tidemark/local-cluster';
import { assert } from '@tidemark/ports';
import type { SidedLink } from './part.ts';
import { SharedLink } from './shared-link.ts';

/**
 * The links of a harness: one before each listener of a broker, and one before each endpoint of a service that accepts
 * requests. The runs over seeds are its test.
 */
export class HarnessLinks {
  readonly #all: TcpLink[] = [];
  readonly #ofBrokers = new Map<number, SidedLink[]>();
  readonly #ofServices = new Map<string, SharedLink[]>();
  readonly #toLog: ReadonlyMap<string, SharedLink[]>;
  readonly #services: readonly string[];

  /** `services` are the names of the processes that use the brokers; each has the route of its index to itself. */
  constructor(services: readonly string[]) {
    this.#services = services;
    this.#toLog = new Map(services.map((name) => [name, []]));
  }

  /** Opens the link of a listener and returns its port. */
  async ofListener({ broker, listener, route, port }: BrokerEndpoint): Promise<number> {
    const opened = await this.#open(port);
    const link = new SharedLink(opened);
    const side = listener === 'client' ? 'clients' : 'brokers';
    this.#ofBrokers.set(broker, [...this.ofBroker(broker), { side, link }]);
    if (route !== undefined) this.toLog(this.#services[route]).push(link);
    return opened.port;
  }

  /** Opens the link of a service's endpoint and returns its port; the port itself where no points come in by HTTP. */
  async ofEndpoint({ name, protocol, port }: ServiceEndpoint): Promise<number> {
    if (protocol === 'http' && !name.startsWith('intake-')) return port;
    const link = await this.#open(port);
    this.#ofServices.set(name, [...this.ofService(name), new SharedLink(link)]);
    return link.port;
  }

  /** The route of a service to the brokers. */
  routeOf(name: string): number {
    const route = this.#services.indexOf(name);
    assert(route >= 0, `${name} has a route to the log`);
    return route;
  }

  ofBroker(id: number): readonly SidedLink[] {
    return this.#ofBrokers.get(id) ?? [];
  }

  ofService(name: string): readonly SharedLink[] {
    return this.#ofServices.get(name) ?? [];
  }

  /** The links of a service's route to the brokers. */
  toLog(name: string): SharedLink[] {
    const links = this.#toLog.get(name);
    assert(links !== undefined, `${name} has a route to the log`);
    return links;
  }

  openAll(): void {
    for (const link of this.#all) link.set('open');
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((link) => link.close()));
  }

  async #open(port: number): Promise<TcpLink> {
    const link = await TcpLink.open(port);
    this.#all.push(link);
    return link;
  }
}
