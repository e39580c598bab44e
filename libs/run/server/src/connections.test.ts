import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '@tidemark/simulation';
import { Connections, type OpenSocket } from './connections.ts';

class FakeSocket implements OpenSocket {
  readonly remoteAddress: string;
  destroyed = false;
  #onClose: () => void = () => undefined;

  constructor(remoteAddress: string) {
    this.remoteAddress = remoteAddress;
  }

  /** What was written before the socket was closed. */
  written = '';

  write(text: string): void {
    this.written += text;
  }

  destroySoon(): void {
    this.destroy();
  }

  destroy(): void {
    this.destroyed = true;
    this.#onClose();
  }

  once(_event: 'close', listener: () => void): void {
    this.#onClose = listener;
  }
}

function setUp(limit: number) {
  const clock = new ManualClock();
  const reports: string[] = [];
  const refusal = (reason: string) => `refused: ${reason}`;
  const report = { setting: 'http.connections', onProblem: (message: string) => reports.push(message), refusal };
  const connections = new Connections(limit, clock, report);
  const open = (address = '10.0.0.1', tenant?: string): FakeSocket => {
    const socket = new FakeSocket(address);
    connections.open(socket);
    if (tenant !== undefined) connections.admit(socket, tenant);
    return socket;
  };
  const many = (count: number, address?: string, tenant?: string) =>
    Array.from({ length: count }, () => open(address, tenant));
  const opened = (sockets: readonly FakeSocket[]) => sockets.filter(({ destroyed }) => !destroyed).length;
  return { clock, connections, open, many, opened, reports };
}

describe('connections that have not shown a key', () => {
  test('have a fourth of the places, and the oldest yields to a new one', () => {
    const { connections, many, open } = setUp(40);
    const flood = many(100);
    expect(flood.map(({ destroyed }) => destroyed)).toEqual([...Array(90).fill(true), ...Array(10).fill(false)]);
    const last = open();
    expect([last.destroyed, flood[90].destroyed, connections.newcomers]).toEqual([false, true, 10]);
  });

  test('of the address that has the most yield, those of others stay', () => {
    const { many, opened } = setUp(40);
    const others = [...many(1, '10.0.0.2'), ...many(1, '2001:db8::1')];
    const flood = [...many(100), ...many(2, '::ffff:10.0.0.1')];
    expect([opened(others), opened(flood)]).toEqual([2, 8]);
    // One machine has all addresses of a network of 64 bits.
    const spread = Array.from({ length: 50 }, (_, i) => many(1, `2001:db8:1::${i.toString(16)}`)[0]);
    expect([opened(others), opened(flood), opened(spread)]).toEqual([2, 4, 4]);
  });

  test('are closed after 10 s without a request', () => {
    const { clock, connections, open } = setUp(40);
    const [idle, busy] = [open(), open()];
    connections.begin(busy);
    for (let i = 0; i < 9; i++) clock.advance(1000);
    expect([idle.destroyed, busy.destroyed]).toEqual([false, false]);
    for (let i = 0; i < 2; i++) clock.advance(1000);
    expect([idle.destroyed, busy.destroyed]).toEqual([true, false]);
    connections.end(busy);
    for (let i = 0; i < 11; i++) clock.advance(1000);
    expect([busy.destroyed, connections.newcomers]).toEqual([true, 0]);
  });

  test('are kept when their request arrived while the process was frozen', () => {
    const { clock, connections, open } = setUp(40);
    const [asks, idle] = [open(), open()];
    // The time is checked before the request is read.
    clock.advance(60_000);
    connections.begin(asks);
    connections.end(asks);
    clock.advance(1000);
    expect([asks.destroyed, idle.destroyed]).toEqual([false, true]);
  });
});

describe('connections of tenants', () => {
  test('of one tenant may take all places, and yield to those of others', () => {
    const { connections, many, opened, open } = setUp(40);
    const greedy = many(30, '10.0.0.1', 'greedy');
    for (const socket of greedy.slice(0, 5)) connections.begin(socket);
    const victim = many(10, '10.0.0.1', 'victim');
    expect([opened(greedy), opened(victim), connections.known]).toEqual([20, 10, 30]);
    // Those with a request stay as long as others have none.
    expect(opened(greedy.slice(0, 5))).toBe(5);
    const third = many(12, '10.0.0.2', 'third');
    expect([opened(greedy), opened(victim), opened(third)]).toEqual([10, 10, 10]);
    expect(open().destroyed).toBe(false);
  });

  test('of the tenant with the most are refused while each has a request', () => {
    const { connections, many, open } = setUp(8);
    const own = many(6, '10.0.0.1', 'a');
    for (const socket of own) connections.begin(socket);
    const next = open();
    expect(() => connections.admit(next, 'a')).toThrow(
      expect.objectContaining({ code: 'resource_exhausted', message: expect.stringContaining('connections') }),
    );
    expect(next.destroyed).toBe(false);
    connections.end(own[3]);
    connections.admit(next, 'a');
    expect(own.map(({ destroyed }) => destroyed)).toEqual([false, false, false, true, false, false]);
    connections.admit(open(), 'b');
    expect(own[0].destroyed).toBe(false);
    expect(next.destroyed).toBe(true);
  });

  test('that are closed free their places', () => {
    const { connections, many, open } = setUp(8);
    for (const socket of [...many(6, '10.0.0.1', 'a'), ...many(2)]) socket.destroy();
    expect([connections.known, connections.newcomers]).toEqual([0, 0]);
    const socket = open('10.0.0.1', 'a');
    connections.admit(socket, 'b');
    expect(connections.known).toBe(1);
  });
});

describe('connections that are closed because of the limit', () => {
  test('are counted in one line a second, with the limit, and answered before their first request', () => {
    const { clock, connections, many, open, reports } = setUp(40);
    const [busy] = many(1);
    connections.begin(busy);
    const flood = many(1500);
    expect([busy.destroyed, busy.written]).toEqual([true, '']);
    const reason = '10 others have not shown a key, most of one address (limit: 10, a fourth of http.connections 40)';
    expect(flood[0].written).toBe(`refused: ${reason}`);
    expect(reports).toEqual([]);
    clock.advance(1000);
    const advice = 'keep connections open, or raise the limit';
    expect(reports).toEqual([`1491 connections were closed for new ones: ${reason}; ${advice}`]);
    open();
    clock.advance(1000);
    expect(reports.slice(1)).toEqual([`1 connection was closed for new ones: ${reason}; ${advice}`]);
  });

  test('of a tenant are counted, too', () => {
    const { clock, many, reports } = setUp(40);
    many(31, '10.0.0.1', 'greedy');
    clock.advance(1000);
    expect(reports).toEqual([
      expect.stringMatching(
        /^1 connection was .*tenants have 30 \(limit: 30, three fourths of http\.connections 40\), greedy the most/,
      ),
    ]);
  });
});
