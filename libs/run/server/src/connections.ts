import { type Clock, TidemarkError } from '@tidemark/ports';

/** The part of a socket that is used here: that of `node:net`. */
export interface OpenSocket {
  readonly remoteAddress?: string | undefined;
  readonly destroyed: boolean;
  destroy(): unknown;
  /** Destroys the socket when all that was written is sent. */
  destroySoon?(): void;
  write?(text: string): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** How a server says that it has closed connections because of its limit. */
export interface ConnectionsReport {
  /** Name of the setting of the limit: `http.connections`. */
  readonly setting: string;
  /** Receives one line a second at most: how many were closed, and why. */
  readonly onProblem: (message: string) => void;
  /** Returns the answer for a connection that has had no request yet, where the protocol has one. */
  readonly refusal?: (reason: string) => string;
}

/** How long a newcomer may be without a request, ms. */
export const NEWCOMER_MS = 10_000;
/** How often this is checked, ms. */
const CHECK_MS = 1000;
/** Min time between two reports of closed connections, ms. */
const REPORT_MS = 1000;

/** Share of the places for connections that have not shown a key: a fourth. */
const NEWCOMERS_SHARE = 4;

interface Place {
  readonly socket: OpenSocket;
  readonly address: string;
  /** Undefined for a newcomer: a connection whose caller has not been authenticated. */
  tenant: string | undefined;
  /** Requests in progress. */
  active: number;
  hadRequest: boolean;
  /** Since when it has had none, ms. */
  idleSinceMs: number;
  /** Whether the last check found it without a request for too long. */
  isDue: boolean;
}

/**
 * Bounds the connections of a server. A fourth of the places are for newcomers, and always let a new one in: it takes the
 * place of the oldest newcomer of the address that has the most, and a newcomer without a request is closed after 10 s. So
 * health checks are answered, and keys are checked, while connections without a key take all places. An authenticated
 * connection moves to the other places, which tenants share: when all are taken, the tenant with the most loses its oldest
 * connection, one without a request first.
 */
export class Connections {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #newcomersLimit: number;
  /** In order of their age. */
  readonly #newcomers = new Map<OpenSocket, Place>();
  /** In order of their authentication. */
  readonly #known = new Map<OpenSocket, Place>();
  readonly #byAddress = new Map<string, number>();
  readonly #byTenant = new Map<string, number>();
  readonly #report: ConnectionsReport | undefined;
  #isChecking = false;
  /** Connections that were closed since the last report. */
  #closed = 0;
  #isReporting = false;

  /** `limit`: all connections, at least 2. */
  constructor(limit: number, clock: Clock, report?: ConnectionsReport) {
    this.#clock = clock;
    this.#report = report;
    this.#limit = Math.max(2, limit);
    this.#newcomersLimit = Math.max(1, Math.floor(this.#limit / NEWCOMERS_SHARE));
  }

  get newcomers(): number {
    return this.#newcomers.size;
  }

  get known(): number {
    return this.#known.size;
  }

  isNewcomer(socket: OpenSocket): boolean {
    return this.#newcomers.has(socket);
  }

  /** Gives a new connection a place among the newcomers. */
  open(socket: OpenSocket): void {
    if (socket.destroyed) return;
    const idleSinceMs = this.#clock.monotonicMs();
    const address = networkOf(socket.remoteAddress ?? '');
    const place = { socket, address, tenant: undefined, active: 0, hadRequest: false, idleSinceMs, isDue: false };
    this.#newcomers.set(socket, place);
    add(this.#byAddress, place.address, 1);
    socket.once('close', () => this.#forget(socket));
    while (this.#newcomers.size > this.#newcomersLimit) this.#endOldestOf(most(this.#byAddress));
    this.#check();
  }

  /** Marks the beginning of a request. Call `end` once when it has ended. */
  begin(socket: OpenSocket): void {
    const place = this.#placeOf(socket);
    if (place === undefined) return;
    place.active++;
    place.hadRequest = true;
    place.isDue = false;
  }

  end(socket: OpenSocket): void {
    const place = this.#placeOf(socket);
    if (place === undefined) return;
    place.active--;
    place.idleSinceMs = this.#clock.monotonicMs();
  }

  /**
   * Gives a connection, whose caller was authenticated, a place of its tenant. Throws `resource_exhausted` when the tenant
   * has the most places, and a request in progress on each.
   */
  admit(socket: OpenSocket, tenant: string): void {
    const place = this.#placeOf(socket);
    if (place === undefined || place.tenant === tenant) return;
    if (place.tenant !== undefined) {
      add(this.#byTenant, place.tenant, -1);
    } else {
      if (this.#known.size >= this.#limit - this.#newcomersLimit) this.#makeRoom(tenant);
      this.#newcomers.delete(socket);
      add(this.#byAddress, place.address, -1);
      this.#known.set(socket, place);
    }
    place.tenant = tenant;
    add(this.#byTenant, tenant, 1);
  }

  #makeRoom(tenant: string): void {
    const largest = most(this.#byTenant);
    const isOthers = (this.#byTenant.get(largest) ?? 0) > (this.#byTenant.get(tenant) ?? 0) + 1;
    const loser = isOthers ? largest : tenant;
    const own = [...this.#known.values()].filter((place) => place.tenant === loser);
    const closed = own.find(({ active }) => active === 0) ?? (isOthers ? own[0] : undefined);
    const limit = this.#limit - this.#newcomersLimit;
    if (closed !== undefined) {
      this.#refuse(
        closed,
        (all) => `tenants have ${this.#known.size} (limit: ${limit}, three fourths of ${all}), ${loser} the most`,
      );
      return;
    }
    throw new TidemarkError(
      'resource_exhausted',
      `connections: too many of the tenant (limit: its share of ${limit})`,
      {
        reason: 'connections_limit',
        field: 'connections',
        limit,
      },
    );
  }

  /**
   * Closes newcomers that two checks found without a request for too long, as long as there are newcomers. One check would
   * close those whose request arrived while the process was frozen: it runs before the request is read.
   */
  #check(): void {
    if (this.#isChecking || this.#newcomers.size === 0) return;
    this.#isChecking = true;
    this.#clock.setTimer(CHECK_MS, () => {
      this.#isChecking = false;
      const untilMs = this.#clock.monotonicMs() - NEWCOMER_MS;
      for (const place of this.#newcomers.values()) {
        if (place.active > 0 || place.idleSinceMs > untilMs) continue;
        if (place.isDue) this.#close(place);
        else place.isDue = true;
      }
      this.#check();
    });
  }

  #endOldestOf(address: string): void {
    for (const place of this.#newcomers.values()) {
      if (place.address !== address) continue;
      const limit = this.#newcomersLimit;
      this.#refuse(
        place,
        (all) => `${limit} others have not shown a key, most of one address (limit: ${limit}, a fourth of ${all})`,
      );
      return;
    }
  }

  /** Closes a connection because of the limit, and reports that to its caller, where the protocol can, and to operators. */
  #refuse(place: Place, why: (limit: string) => string): void {
    if (this.#report !== undefined) {
      const { setting, refusal } = this.#report;
      const reason = why(`${setting} ${this.#limit}`);
      this.#closed++;
      this.#reportLater(reason);
      const { socket } = place;
      if (refusal !== undefined && !place.hadRequest && socket.destroySoon !== undefined) {
        this.#forget(socket);
        socket.write?.(refusal(reason));
        socket.destroySoon();
        return;
      }
    }
    this.#close(place);
  }

  #reportLater(reason: string): void {
    if (this.#isReporting) return;
    this.#isReporting = true;
    this.#clock.setTimer(REPORT_MS, () => {
      const closed = this.#closed === 1 ? '1 connection was' : `${this.#closed} connections were`;
      this.#isReporting = false;
      this.#closed = 0;
      this.#report?.onProblem(`${closed} closed for new ones: ${reason}; keep connections open, or raise the limit`);
    });
  }

  #close(place: Place): void {
    this.#forget(place.socket);
    place.socket.destroy();
  }

  #placeOf(socket: OpenSocket): Place | undefined {
    return this.#known.get(socket) ?? this.#newcomers.get(socket);
  }

  #forget(socket: OpenSocket): void {
    const place = this.#placeOf(socket);
    if (place === undefined) return;
    if (place.tenant === undefined) add(this.#byAddress, place.address, -1);
    else add(this.#byTenant, place.tenant, -1);
    this.#newcomers.delete(socket);
    this.#known.delete(socket);
  }
}

/** Returns an address; of IPv6 the network of 64 bits, since one machine has all of its addresses. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  if (!plain.includes(':')) return plain;
  const [front, back] = plain.split('::');
  const groups = front.split(':').filter((group) => group !== '');
  const behind = back === undefined ? [] : back.split(':').filter((group) => group !== '');
  while (back !== undefined && groups.length + behind.length < 8) groups.push('0');
  return [...groups, ...behind].slice(0, 4).join(':');
}

function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

function most(counts: ReadonlyMap<string, number>): string {
  let largest = '';
  let highest = 0;
  for (const [key, count] of counts) {
    if (count <= highest) continue;
    highest = count;
    largest = key;
  }
  return largest;
}
