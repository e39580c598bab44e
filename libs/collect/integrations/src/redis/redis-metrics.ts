import type { CheckSink, Rates } from '@tidemark/checks';
import { numberOf, parseParts } from './redis-info.ts';

/** Fields of `INFO` that are sent unchanged, under the names of Datadog's agent. */
const GAUGES: Readonly<Record<string, string>> = {
  connected_clients: 'redis.net.clients',
  connected_slaves: 'redis.net.slaves',
  maxclients: 'redis.net.maxclients',
  rejected_connections: 'redis.net.rejected',
  instantaneous_ops_per_sec: 'redis.net.instantaneous_ops_per_sec',
  blocked_clients: 'redis.clients.blocked',
  client_biggest_input_buf: 'redis.clients.biggest_input_buf',
  client_longest_output_list: 'redis.clients.longest_output_list',
  client_recent_max_input_buffer: 'redis.clients.recent_max_input_buffer',
  client_recent_max_output_buffer: 'redis.clients.recent_max_output_buffer',
  evicted_keys: 'redis.keys.evicted',
  expired_keys: 'redis.keys.expired',
  latest_fork_usec: 'redis.perf.latest_fork_usec',
  pubsub_channels: 'redis.pubsub.channels',
  pubsub_patterns: 'redis.pubsub.patterns',
  used_memory: 'redis.mem.used',
  used_memory_rss: 'redis.mem.rss',
  used_memory_peak: 'redis.mem.peak',
  used_memory_lua: 'redis.mem.lua',
  used_memory_startup: 'redis.mem.startup',
  used_memory_overhead: 'redis.mem.overhead',
  maxmemory: 'redis.mem.maxmemory',
  mem_fragmentation_ratio: 'redis.mem.fragmentation_ratio',
  active_defrag_running: 'redis.active_defrag.running',
  active_defrag_hits: 'redis.active_defrag.hits',
  active_defrag_misses: 'redis.active_defrag.misses',
  rdb_bgsave_in_progress: 'redis.rdb.bgsave',
  rdb_changes_since_last_save: 'redis.rdb.changes_since_last',
  rdb_last_bgsave_time_sec: 'redis.rdb.last_bgsave_time',
  aof_last_rewrite_time_sec: 'redis.aof.last_rewrite_time',
  aof_rewrite_in_progress: 'redis.aof.rewrite',
  aof_current_size: 'redis.aof.size',
  aof_buffer_length: 'redis.aof.buffer_length',
  loading_total_bytes: 'redis.aof.loading_total_bytes',
  loading_loaded_bytes: 'redis.aof.loading_loaded_bytes',
  loading_eta_seconds: 'redis.aof.loading_eta_seconds',
  repl_backlog_histlen: 'redis.replication.backlog_histlen',
  master_repl_offset: 'redis.replication.master_repl_offset',
  slave_repl_offset: 'redis.replication.slave_repl_offset',
  master_last_io_seconds_ago: 'redis.replication.last_io_seconds_ago',
  master_sync_in_progress: 'redis.replication.sync',
  master_sync_left_bytes: 'redis.replication.sync_left_bytes',
  master_link_down_since_seconds: 'redis.replication.master_link_down_since_seconds',
};

/** Totals that are sent as rates per second. */
const RATES: Readonly<Record<string, string>> = {
  total_commands_processed: 'redis.net.commands',
  keyspace_hits: 'redis.stats.keyspace_hits',
  keyspace_misses: 'redis.stats.keyspace_misses',
  used_cpu_sys: 'redis.cpu.sys',
  used_cpu_user: 'redis.cpu.user',
  used_cpu_sys_children: 'redis.cpu.sys_children',
  used_cpu_user_children: 'redis.cpu.user_children',
};

/** Max items of one server; further ones are left out and counted. */
const REDIS_LIMITS = { databases: 64, replicas: 64, commands: 300 } as const;

type RedisLimits = { readonly [K in keyof typeof REDIS_LIMITS]: number };

export interface RedisReport {
  readonly sink: CheckSink;
  /** Tags of every metric of the server. */
  readonly tags: readonly string[];
  /** Rates whose sample has begun. */
  readonly rates: Rates;
  readonly limits?: RedisLimits;
}

/**
 * Reports the fields of an `INFO` reply, including those of `INFO commandstats`. Returns how many databases, replicas
 * and commands exceeded a limit.
 */
export function reportInfo(info: ReadonlyMap<string, string>, report: RedisReport): number {
  const { sink, tags, rates, limits = REDIS_LIMITS } = report;
  for (const [field, metric] of Object.entries(GAUGES)) {
    const value = numberOf(info, field);
    // The persistence times are -1 when there was no save or rewrite yet.
    if (value !== undefined && value >= 0) sink.gauge(metric, value, tags);
  }
  for (const [field, metric] of Object.entries(RATES)) {
    const value = numberOf(info, field);
    const perSecond = value === undefined ? undefined : rates.perSecond(field, value);
    if (perSecond !== undefined) sink.gauge(metric, perSecond, tags);
  }
  const link = info.get('master_link_status');
  if (link !== undefined) sink.gauge('redis.replication.master_link_status', link === 'up' ? 1 : 0, tags);
  return (
    each(info, /^db\d+$/, limits.databases, (db, parts) => database(db, parts, report)) +
    each(info, /^slave\d+$/, limits.replicas, (id, parts) =>
      replica(id, parts, numberOf(info, 'master_repl_offset'), report),
    ) +
    each(info, /^cmdstat_/, limits.commands, (name, parts) => command(name, parts, report))
  );
}

function each(
  info: ReadonlyMap<string, string>,
  pattern: RegExp,
  limit: number,
  report: (name: string, parts: ReadonlyMap<string, string>) => void,
): number {
  let seen = 0;
  for (const [name, value] of info) {
    if (pattern.test(name) && ++seen <= limit) report(name, parseParts(value));
  }
  return Math.max(0, seen - limit);
}

function database(db: string, parts: ReadonlyMap<string, string>, { sink, tags }: RedisReport): void {
  const keys = numberOf(parts, 'keys');
  const expires = numberOf(parts, 'expires');
  if (keys === undefined || expires === undefined) return;
  const own = [...tags, `redis_db:${db}`];
  sink.gauge('redis.keys', keys, own);
  sink.gauge('redis.expires', expires, own);
  sink.gauge('redis.persist', keys - expires, own);
  if (keys === 0) return;
  sink.gauge('redis.expires.percent', (100 * expires) / keys, own);
  sink.gauge('redis.persist.percent', (100 * (keys - expires)) / keys, own);
}

function replica(
  id: string,
  parts: ReadonlyMap<string, string>,
  masterOffset: number | undefined,
  { sink, tags }: RedisReport,
): void {
  const offset = numberOf(parts, 'offset');
  const own = [...tags, `slave_id:${id.slice('slave'.length)}`];
  for (const [part, tag] of [
    ['ip', 'slave_ip'],
    ['port', 'slave_port'],
  ]) {
    const value = parts.get(part);
    if (value !== undefined) own.push(`${tag}:${value}`);
  }
  // Bytes. A replica that has just connected may be ahead of its master's figure.
  if (offset !== undefined && masterOffset !== undefined) {
    sink.gauge('redis.replication.delay', Math.max(0, masterOffset - offset), own);
  }
  const lagS = numberOf(parts, 'lag');
  if (lagS !== undefined && lagS >= 0) sink.gauge('redis.replication.lag', lagS, own);
}

function command(name: string, parts: ReadonlyMap<string, string>, { sink, tags, rates }: RedisReport): void {
  const own = [...tags, `command:${name.slice('cmdstat_'.length)}`];
  const calls = numberOf(parts, 'calls');
  const perSecond = calls === undefined ? undefined : rates.perSecond(name, calls);
  if (perSecond !== undefined) sink.gauge('redis.command.calls', perSecond, own);
  const usecPerCall = numberOf(parts, 'usec_per_call');
  if (usecPerCall !== undefined) sink.gauge('redis.command.usec_per_call', usecPerCall, own);
}
