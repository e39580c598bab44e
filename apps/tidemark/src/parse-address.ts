import { InvalidArgumentError } from 'commander';

/**
 * Checks the gRPC address of a command line, `host:port`; other targets of gRPC, such as `unix:/path`, pass unchecked.
 * Throws commander's `InvalidArgumentError`.
 */
export function parseAddress(text: string): string {
  const [, scheme, rest] = /^(https?|grpcs?):\/\/([^/]*)/i.exec(text) ?? [];
  if (scheme !== undefined) throw new InvalidArgumentError(`Leave out ${scheme}://, such as ${rest}.`);
  if (/^(unix|unix-abstract|dns|ipv4|ipv6):/i.test(text)) return text;
  const port = /^(?:\[[0-9a-f:.]+\]|[^\s:/[\]]+):(\d{1,5})$/i.exec(text)?.[1];
  if (port !== undefined && Number(port) >= 1 && Number(port) <= 65_535) return text;
  throw new InvalidArgumentError(`${text} is not host:port.`);
}
