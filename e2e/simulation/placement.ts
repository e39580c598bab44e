import { assert, type Topic } from '@tidemark/ports';
import { PARTITIONS, POINT_STORES, REPLICAS, TAG_STORES } from './settings.ts';

export type StoredTopic = 'points' | 'tags';

/** Offset through which a store has committed a partition. */
export interface ReportedOffset {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: number;
  /** Ownership of the report: a report of an earlier ownership may arrive late. */
  readonly ownership: number;
}

interface Owner {
  readonly store: string;
  readonly ownership: number;
  committed: number | undefined;
}

/** The partitions of each store. It acts as the operator's placement: one truth that others learn later. */
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

  /** Adds a replica. From now on the log keeps the records that it may need. */
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

  /** Returns the offset that every replica has committed; undefined while one has not reported. */
  committedByAll(topic: Topic, partition: number): number | undefined {
    let min = Number.POSITIVE_INFINITY;
    for (const { committed } of this.#of(topic, partition)) {
      if (committed === undefined) return undefined;
      min = Math.min(min, committed);
    }
    return min;
  }

  #of(topic: Topic, partition: number): Owner[] {
    const owners = this.#owners.get(`${topic}/${partition}`);
    assert(owners !== undefined, `${topic}/${partition} is stored`);
    return owners;
  }
}
