/** Answers in the shape of the platform's HTTP API, for a host that does not exist. */

const DEVICES: Readonly<Record<string, readonly string[]>> = {
  'system.net.bytes_rcvd': ['eth0'],
  'system.net.bytes_sent': ['eth0'],
  'system.io.rkb_s': ['nvme0n1'],
  'system.io.wkb_s': ['nvme0n1'],
  'system.disk.in_use': ['nvme0n1p2', 'nvme0n1p1'],
};

/** Mean and amplitude of each metric, in the units of the agent. */
const LEVELS: Readonly<Record<string, readonly [number, number]>> = {
  'system.cpu.user': [22, 14],
  'system.cpu.system': [7, 4],
  'system.cpu.iowait': [1.5, 1.4],
  'system.cpu.stolen': [0.1, 0.1],
  'system.load.1': [1.4, 0.8],
  'system.load.5': [1.2, 0.3],
  'system.load.15': [1.1, 0.1],
  'system.mem.used': [6_200, 300],
  'system.mem.usable': [9_400, 280],
  'system.mem.cached': [3_100, 60],
  'system.net.bytes_rcvd': [420_000, 380_000],
  'system.net.bytes_sent': [130_000, 110_000],
  'system.io.rkb_s': [300, 290],
  'system.io.wkb_s': [2_400, 1_900],
  'system.disk.in_use': [0.62, 0.01],
  'shop.request.duration': [0.18, 0.12],
};

const TAGS: Readonly<Record<string, readonly string[]>> = {
  host: ['web-1', 'web-2', 'web-3', 'db-1'],
  env: ['prod', 'staging'],
  route: Array.from({ length: 40 }, (_, i) => `/v1/route-${i}`),
};

/** Metrics whose name contains a text; at most so many. */
export function fakeMetrics(contains: string, limit = 1_000): unknown {
  const metrics = Object.keys(LEVELS)
    .filter((metric) => metric.includes(contains))
    .map((metric) => ({
      metric,
      classes: [metric.includes('duration') ? 'distribution' : 'reading'],
      kinds: [metric.includes('duration') ? 'distribution' : 'gauge'],
      series: metric.startsWith('shop') ? 160 : 1,
      last_day_ms: 0,
    }));
  return { metrics: metrics.slice(0, limit), truncated: metrics.length >= limit, errors: [] };
}

export function fakeTags(metric: string): unknown {
  const isShop = metric.startsWith('shop');
  const keys = Object.entries(isShop ? TAGS : { host: ['laptop'] }).map(([key, values]) => ({
    key,
    values: values.length,
    series: isShop ? 160 : 1,
    top: values.map((value) => ({ value, series: isShop ? 160 / values.length : 1 })),
  }));
  return { metric, keys, errors: [] };
}

export interface FakeQuery {
  readonly query: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly completeThroughMs: number;
}

/** Answers the page's own queries: simple expressions, separated by `, `. */
export function fakeAnswer({ query, fromMs, toMs, completeThroughMs }: FakeQuery): unknown {
  const stepMs = [1, 2, 5, 15, 60, 300].map((s) => s * 1_000).find((ms) => (toMs - fromMs) / ms <= 300) ?? 600_000;
  const series = query.split(/, (?=\w+:)/).flatMap((expression) => {
    const [, metric = '', by = ''] = /^\w[\w.]*:([\w.]+)\{[^}]*\}(?: by \{([^}]*)\})?/.exec(expression) ?? [];
    const level = LEVELS[metric];
    if (level === undefined) return [];
    return groupsOf(metric, by).map((tag, group) => {
      const pointlist = pointsOf(metric, level, group, fromMs, toMs, stepMs);
      return {
        metric,
        display_name: metric,
        expression,
        scope: tag === '' ? '*' : tag,
        tag_set: tag === '' ? [] : [tag],
        interval: stepMs / 1_000,
        pointlist,
        complete_length: pointlist.filter(([timeMs]) => timeMs + stepMs <= completeThroughMs).length,
      };
    });
  });
  return { status: 'ok', series, complete_through: completeThroughMs / 1_000, errors: [], gaps: [], notes: [] };
}

function groupsOf(metric: string, by: string): readonly string[] {
  if (by === '') return [''];
  const values = by === 'device_name' ? (DEVICES[metric] ?? []) : (TAGS[by] ?? ['N/A']);
  return values.map((value) => `${by}:${value}`);
}

function pointsOf(
  metric: string,
  [middle, swing]: readonly [number, number],
  group: number,
  fromMs: number,
  toMs: number,
  stepMs: number,
): [number, number][] {
  const points: [number, number][] = [];
  const seed = [...metric].reduce((sum, letter) => sum + letter.charCodeAt(0), group * 977);
  // Disks are read every 10 s only.
  const everyMs = metric.startsWith('system.disk') ? Math.max(stepMs, 10_000) : stepMs;
  for (let timeMs = Math.ceil(fromMs / everyMs) * everyMs; timeMs < toMs; timeMs += everyMs) {
    const t = timeMs / 1_000;
    const wave = 0.5 * Math.sin(t / 47 + seed) + 0.25 * Math.sin(t / 11 + 2 * seed) + 0.25 * noise(timeMs + seed);
    points.push([timeMs, Math.max(0, middle * (1 + 0.15 * (group % 5)) + swing * wave)]);
  }
  return points;
}

/** −1 to 1, the same for the same argument. */
function noise(of: number): number {
  const x = Math.sin(of * 12.9898) * 43_758.5453;
  return 2 * (x - Math.floor(x)) - 1;
}

export interface FakeTrouble {
  /** Lane 2 has been silent for this long, ms. */
  readonly silentMs?: number;
  readonly halted?: string;
}

export function fakeStatus(nowMs: number, { silentMs = 400, halted = '' }: FakeTrouble = {}): unknown {
  const session = 'ab12cd34ef56ab12cd34ef56ab12cd34';
  const points = [0, 1, 2, 3].map((partition) => {
    const markMs = nowMs - (partition === 2 ? silentMs : 350 + partition * 90);
    return {
      partition,
      offset: 48_210 + partition * 17,
      committed_offset: 48_100 + partition * 17,
      log_next: 48_210 + partition * 17,
      ...{ watermark_ms: markMs, covered_watermark_ms: markMs },
      lanes: [
        { session: '77aa'.padEnd(32, '0'), lane: partition, open: false, mark_ms: nowMs - 400_000, sequence: 812 },
        { session, lane: partition + 4, open: true, mark_ms: markMs, sequence: 1_240 + partition },
      ],
      clients: [
        client('c0ffee11'.padEnd(32, '0'), nowMs - 1_900, 0),
        client('5eed2244'.padEnd(32, '0'), nowMs - 64_000, 12),
      ],
      gaps:
        partition === 1
          ? [{ topic: 'points', partition, offset: 31_007, records: 3, reason: 'skipped by an operator' }]
          : [],
      halted: partition === 3 ? halted : '',
      halted_offset: partition === 3 && halted !== '' ? 48_261 : 0,
      series: 38,
      points: 1_204_332 + partition * 4_020,
      late_points: partition === 0 ? 12 : 0,
      duplicate_points: partition === 1 ? 240 : 0,
      state_hashes: [],
    };
  });
  const tags = [0, 1, 2, 3].map((partition) => ({
    partition,
    offset: 160,
    committed_offset: 160,
    log_next: 160,
    series: 38,
    metrics: 21,
    halted: '',
    halted_offset: 0,
  }));
  return {
    points,
    tags,
    sessions: [
      {
        session,
        process: 'intake@laptop',
        state: 'open',
        renewed_ms: nowMs - Math.min(1_200, silentMs),
        streams: 2,
        queued_bytes: 18_400,
        rejected_points: { timestamp_behind: 31, metric_too_long: 4 },
        refused: [
          {
            ...{ stage: 'rejected', client: '', reason: 'timestamp_behind', count: 31 },
            ...{ since_ms: nowMs - 400_000, last_ms: nowMs - 65_000 },
            example: 'timestamp: timestamp_behind (limit: 604800000 ms), for example 1700000 s; first in shop.orders',
          },
          { stage: 'rejected', client: '', reason: 'metric_too_long', count: 4, example: '' },
          { stage: 'client', client: 'agent web-1', reason: 'line_malformed', count: 9, example: 'no value' },
        ],
        sources: [
          { client: 'agent web-1', name: 'cpu', problem: '', since_ms: 0 },
          {
            ...{ client: 'agent web-1', name: 'scrape db:9187', since_ms: nowMs - 600_000 },
            problem: 'connect ECONNREFUSED 10.0.0.7:9187',
          },
        ],
        client_names: { ['5eed2244'.padEnd(32, '0')]: 'agent web-1' },
        former_client_names: { ['c0ffee11'.padEnd(32, '0')]: 'nightly job' },
      },
    ],
    lateness_ms: 3_000,
    now_ms: nowMs,
    errors: [],
    map_epoch: 1,
    for_operator: true,
    threads: [
      {
        ...{ thread: 'main', window_max_ms: 12.1, window_p99_ms: 3.2, max_ms: 131.4, p99_ms: 4.1 },
        ...{ max_at_ms: nowMs - 40_000, late_ms: 131.4, late_at_ms: nowMs - 40_000 },
      },
      { thread: 'stores 0', window_max_ms: 2, window_p99_ms: 1, max_ms: 9, p99_ms: 1.5, max_at_ms: nowMs - 9000 },
    ],
    memory: [
      {
        holder: 'process',
        parts: [
          { part: 'resident', bytes: 420 * 2 ** 20 },
          { part: 'peak', bytes: 480 * 2 ** 20 },
        ],
      },
      {
        holder: 'main',
        parts: [
          { part: 'heap', bytes: 48 * 2 ** 20 },
          { part: 'buffers', bytes: 24 * 2 ** 20 },
        ],
      },
    ],
  };
}

function client(clientSession: string, frontierMs: number, latePoints: number): unknown {
  return {
    client_session: clientSession,
    tenant: 'default',
    floor: 900,
    highest_sequence: 912,
    frontier_ms: frontierMs,
    late_points: latePoints,
  };
}
