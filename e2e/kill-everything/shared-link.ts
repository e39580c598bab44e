import type { LinkMode, TcpLink } from '@tidemark/child-process';

/** A link that two parts may be cut off by, each for itself: the way of a service to a broker belongs to both. */
export class SharedLink {
  readonly #link: Pick<TcpLink, 'set'>;
  /** What each wants of it, if not that it is open. */
  readonly #wanted = new Map<string, LinkMode>();

  constructor(link: Pick<TcpLink, 'set'>) {
    this.#link = link;
  }

  /** It opens when the last one lets it. */
  set(by: string, mode: LinkMode): void {
    if (mode === 'open') this.#wanted.delete(by);
    else this.#wanted.set(by, mode);
    const [first = 'open'] = this.#wanted.values();
    this.#link.set(first);
  }
}
