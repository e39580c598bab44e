/** The port that a server listens on, which may have been any free one; `asked` where it has no address. */
export function boundPort(server: { address(): unknown }, asked: number): number {
  const address = server.address();
  return typeof address === 'object' && address !== null && 'port' in address ? Number(address.port) : asked;
}
