/**
 * Returns the number of datagrams dropped because of a full receive buffer, from the text of Linux's `/proc/net/udp` or
 * `/proc/net/udp6`: the sum of the last column over the sockets bound to `port`. Undefined when there are none.
 */
export function udpDrops(table: string, port: number): number | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let drops: number | undefined;
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (columns.length < 13 || !columns[1].endsWith(suffix)) continue;
    drops = (drops ?? 0) + Number(columns[columns.length - 1]);
  }
  return drops;
}
