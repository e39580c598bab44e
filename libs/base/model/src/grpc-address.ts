/**
 * Returns what is wrong with a gRPC address of the form `host:port`, as a sentence; undefined when nothing is. Other
 * targets of gRPC, such as `unix:/path`, pass unchecked.
 */
export function addressProblem(text: string): string | undefined {
  const [, scheme, rest] = /^(https?|grpcs?):\/\/([^/]*)/i.exec(text) ?? [];
  if (scheme !== undefined) return `Leave out ${scheme}://, such as ${rest}.`;
  if (/^(unix|unix-abstract|dns|ipv4|ipv6):/i.test(text)) return undefined;
  const port = /^(?:\[[0-9a-f:.]+\]|[^\s:/[\]]+):(\d{1,5})$/i.exec(text)?.[1];
  if (port !== undefined && Number(port) >= 1 && Number(port) <= 65_535) return undefined;
  return `${text} is not host:port.`;
}
