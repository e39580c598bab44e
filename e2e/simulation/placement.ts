import { assert, type Topic } from '@tidemark/ports';
import { PARTITIONS, POINT_STORES, REPLICAS, TAG_STORES } from './settings.ts';

export type StoredTopic = 'points' | 'tags';

/** How far a store has committed a partition. */
export interface ReportedOffset {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: number;
  /** Which ownership it speaks of: a report of an earlier one may come late. */
  readonly ownership: number;
}

interface Owner {
  readonly store: string;
  readonly ownership: number;
  committed: number | undefined;
}

/** Which stores have which partitions. It stands for the operator's placement: one truth, which others learn of late. */
export class Placement {
  readonly #owners = new Map<string, Owner[]>();
  #ownerships = 0;

  constructor() {
    for (const [topic, stores] of [
      ['points', POINT_STORES],
      ['tags', TAG_STORES],
    ] as const) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        this.#owners.set(`${topic}/${partition}`, []);
        for (let i = 0; i < REPLICAS; i++) this.add(topic, partition, stores[(partition + i) % stores.length]);
      }
    }
  }

  owners(topic: Topic, partition: number): readonly string[] {
    return this.#of(topic, partition).map(({ store }) => store);
  }

  /** Partitions of a store. */
  of(topic: StoredTopic, store: string): number[] {
    const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    return all.filter((partition) => this.owners(topic, partition).includes(store));
  }

  ownership(topic: Topic, partition: number, store: string): number | undefined {
    return this.#of(topic, partition).find((owner) => owner.store === store)?.ownership;
  }

  /** One more replica; from here on the log keeps what it may need. */
  add(topic: StoredTopic, partition: number, store: string): void {
    this.#of(topic, partition).push({ store, ownership: ++this.#ownerships, committed: undefined });
  }

  remove(topic: StoredTopic, partition: number, store: string): void {
    const owners = this.#of(topic, partition);
    owners.splice(
      owners.findIndex((owner) => owner.store === store),
      1,
    );
  }

  reported(store: string, { topic, partition, offset, ownership }: ReportedOffset): void {
    const owner = this.#of(topic, partition).find((one) => one.store === store);
    if (owner?.ownership === ownership) owner.committed = offset;
  }

  /** What every replica has committed; undefined while one has not said. */
  committedByAll(topic: Topic, partition: number): number | undefined {
    let least = Number.POSITIVE_INFINITY;
    for (const { committed } of this.#of(topic, partition)) {
      if (committed === undefined) return undefined;
      least = Math.min(least, committed);
    }
    return least;
  }

  #of(topic: Topic, partition: number): Owner[] {
    const owners = this.#owners.get(`${topic}/${partition}`);
    assert(owners !== undefined, `${topic}/${partition} is stored`);
    return owners;
  }
}
