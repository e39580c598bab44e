import type { SlicedWork } from '@tidemark/ports';

/** Which groups each of some series is in, by the series' index. */
export interface GroupMembers {
  /** Where the groups of a series begin in `groups`, and at the end of all of them where the last ones end. */
  readonly starts: Uint32Array;
  readonly groups: Uint32Array;
}

/** Members that are listed in one piece, and what one costs in units of the cost of a point. */
const PIECE = 16_384;
const MEMBER_COST = 1 / 4;

/** `ordinalOf` gives the index of a series of the groups, from 1 on. A series may be in a group several times. */
export function* groupMembers(
  groups: readonly Uint32Array[],
  series: number,
  ordinalOf: (series: number) => number,
): SlicedWork<GroupMembers, number> {
  const starts = new Uint32Array(series + 1);
  let waiting = 0;
  for (const group of groups) {
    for (let i = 0; i < group.length; i++) {
      starts[ordinalOf(group[i])]++;
      if (++waiting % PIECE === 0) yield PIECE * MEMBER_COST;
    }
  }
  for (let i = 1; i <= series; i++) starts[i] += starts[i - 1];
  const members = new Uint32Array(starts[series]);
  const next = starts.slice(0, series);
  for (let number = 0; number < groups.length; number++) {
    const group = groups[number];
    for (let i = 0; i < group.length; i++) {
      members[next[ordinalOf(group[i]) - 1]++] = number;
      if (++waiting % PIECE === 0) yield PIECE * MEMBER_COST;
    }
  }
  return { starts, groups: members };
}
