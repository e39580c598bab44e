import { ControlFollower, ControlWriter } from '@tidemark/control';
import { Coordinator } from '@tidemark/coordinator';
import { packSlots } from '@tidemark/model';
import { assert } from '@tidemark/ports';
import { type NodePorts, SimulatedWorld } from '@tidemark/simulation';
import { ClientHost } from './client-host.ts';
import { drawFaults } from './faults.ts';
import { IntakeHost } from './intake-host.ts';
import { Ledger } from './ledger.ts';
import { LogCopy } from './log-copy.ts';
import { LogHost } from './log-host.ts';
import { QueryHost } from './query-host.ts';
import { RemoteLog } from './remote-log.ts';
import { PARTITIONS } from './settings.ts';
import { StoreHost } from './store-host.ts';
import { SupervisedNode } from './supervised-node.ts';
import type { Wiring } from './wiring.ts';

const INTAKES = ['intake-1', 'intake-2'];
const STORES = ['store-1', 'store-2'];
const CLIENTS = ['client-1', 'client-2', 'client-3'];
/** The clocks of intakes may differ by less than what a session tolerates. */
const SKEW_MS = 900;

export interface CoordinatorHost {
  readonly coordinator: Coordinator;
  changeMap(): Promise<void>;
  term: number;
}

/** A whole platform, every process on a machine of its own. */
export class Cluster {
  readonly world: SimulatedWorld;
  readonly ledger = new Ledger();
  readonly copy = new LogCopy(PARTITIONS);
  readonly log: SupervisedNode<LogHost>;
  readonly coordinators: readonly SupervisedNode<CoordinatorHost>[];
  readonly intakes: readonly SupervisedNode<IntakeHost>[];
  readonly stores: readonly SupervisedNode<StoreHost>[];
  readonly clients: readonly SupervisedNode<ClientHost>[];
  readonly query: SupervisedNode<QueryHost>;
  /** How often the log let go of records. */
  readonly logTrims = { count: 0 };
  /** What went wrong, the first first. */
  readonly failures: unknown[] = [];
  readonly #wiring: Wiring;
  #values = 0;

  constructor(seed: number, wiring: Wiring) {
    // The faults of a seed are drawn from a world that is thrown away.
    const faults = drawFaults(new SimulatedWorld({ seed }).random.fork('which faults'));
    this.world = new SimulatedWorld({ seed, faults });
    this.#wiring = wiring;
    const { world } = this;
    const skew = world.random.fork('skew');
    const node = <Host>(name: string, build: (ports: NodePorts) => Promise<Host>, skewMs = 0) =>
      new SupervisedNode(world, world.node(name, { skewMs }), build, (error) => this.fail(error));
    const skewMs = () => (skew.next() * 2 - 1) * SKEW_MS;
    this.log = node('log', (ports) => this.#startLog(ports));
    this.coordinators = [1, 2].map((i) => node(`coordinator-${i}`, (ports) => this.#startCoordinator(ports)));
    this.intakes = INTAKES.map((name) => node(name, (ports) => this.#startIntake(name, ports), skewMs()));
    this.stores = STORES.map((name) => node(name, (ports) => this.#startStore(name, ports)));
    this.clients = CLIENTS.map((name) => node(name, (ports) => this.#startClient(name, ports), skewMs() / 2));
    this.query = node('query', (ports) => this.#startQuery(ports));
  }

  /** All but the second coordinator, which only ever takes over. */
  get supervised(): readonly SupervisedNode<unknown>[] {
    const { log, coordinators, intakes, stores, clients, query } = this;
    return [log, coordinators[0], ...intakes, ...stores, ...clients, query];
  }

  readonly fail = (error: unknown): void => {
    this.failures.push(error);
    this.world.trace(`failure: ${String(error)}`);
  };

  start(): void {
    for (const node of this.supervised) node.start();
  }

  /** A coordinator that was taken over from does nothing any more: the first one comes back, the second does not. */
  replaceDeposed(): void {
    for (const node of this.coordinators) {
      if (!node.host?.coordinator.problem?.includes('took over')) continue;
      node.crash('process', node === this.coordinators[0] ? 2000 : undefined);
    }
  }

  async #startLog({ clock, random, disk, network, incarnation }: NodePorts): Promise<LogHost> {
    const { copy, fail, logTrims } = this;
    const isAlive = () => incarnation.alive;
    const parts = { clock, random, disk, network, copy, isAlive, trims: logTrims };
    const host = new LogHost({ ...parts, stores: STORES.length, failed: fail });
    await host.start();
    return host;
  }

  async #startCoordinator({ clock, random, network, incarnation }: NodePorts): Promise<CoordinatorHost> {
    const log = new RemoteLog(network, random, 'log');
    const control = new ControlFollower(log, clock);
    await control.start();
    const coordinator = new Coordinator({
      ...{ log, control, clock, random, process: incarnation.id, partitions: PARTITIONS },
      ...{ tenantSeries: 1_000_000, metricSeries: 1_000_000, isAlone: false, seriesCounts: async () => [] },
      checkpointRecords: 40,
    });
    await coordinator.start();
    const writer = new ControlWriter(log, clock);
    const { term } = control.state;
    return {
      coordinator,
      term,
      // Moves every slot to the next partition, as a coordinator that balances load would move some.
      changeMap: async () => {
        const { map } = control.state;
        assert(map !== undefined, 'a coordinator that has started has a map');
        const slots = map.slots.map((partition) => (partition + 1) % map.partitions);
        const next = { epoch: map.epoch + 1, partitions: map.partitions, slots: packSlots({ ...map, slots }) };
        await writer.append({ $case: 'map', value: { term, expectedEpoch: map.epoch, map: next } });
      },
    };
  }

  async #startIntake(name: string, { clock, random, network }: NodePorts): Promise<IntakeHost> {
    const { ledger, fail } = this;
    const host = new IntakeHost({ name, clock, random, network, wiring: this.#wiring, ledger, failed: fail });
    await host.start();
    return host;
  }

  async #startStore(name: string, { clock, random, network, openKeyValue }: NodePorts): Promise<StoreHost> {
    const host = new StoreHost({ name, clock, random, network, openKeyValue, wiring: this.#wiring, failed: this.fail });
    await host.start();
    return host;
  }

  #startClient(name: string, { clock, random, network, disk }: NodePorts): Promise<ClientHost> {
    return ClientHost.start({
      ...{ name, clock, random, network, intakes: INTAKES, ledger: this.ledger, failed: this.fail },
      disk: name === 'client-3' ? undefined : disk,
      nextValue: () => ++this.#values,
    });
  }

  async #startQuery({ clock, random, network }: NodePorts): Promise<QueryHost> {
    const host = new QueryHost({ clock, random, network, stores: STORES, wiring: this.#wiring });
    await host.start();
    return host;
  }
}
