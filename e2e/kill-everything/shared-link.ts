import type { LinkMode, TcpLink } from '@tidemark/child-process';

/** A link that two parts can cut independently: the link of a service to a broker belongs to both. */
export class SharedLink {
  readonly #link: Pick<TcpLink, 'set'>;
  /** Mode that each part requests, unless open. */
  readonly #wanted = new Map<string, LinkMode>();

  constructor(link: Pick<TcpLink, 'set'>) {
    this.#link = link;
  }

  /** Opens when no part cuts it any longer. */
  set(by: string, mode: LinkMode): void {
    if (mode === 'open') this.#wanted.delete(by);
    else this.#wanted.set(by, mode);
    const [first = 'open'] = this.#wanted.values();
    this.#link.set(first);
  }
}
