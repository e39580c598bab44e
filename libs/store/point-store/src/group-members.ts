/** Which groups each selected series is in, by its index among all selected ones. */
export class GroupMembers {
  /** Where the groups of a series begin in `groups`, and at the end of all of them where the last ones end. */
  readonly starts: Uint32Array;
  readonly groups: Uint32Array;

  /** `ordinalOf` gives a series' index, from 1 on. A series may be in a group several times. */
  constructor(groups: readonly Uint32Array[], series: number, ordinalOf: (series: number) => number) {
    const starts = new Uint32Array(series + 1);
    for (const group of groups) for (const one of group) starts[ordinalOf(one)]++;
    for (let i = 1; i <= series; i++) starts[i] += starts[i - 1];
    this.starts = starts;
    this.groups = new Uint32Array(starts[series]);
    const next = starts.slice(0, series);
    groups.forEach((group, number) => {
      for (const one of group) this.groups[next[ordinalOf(one) - 1]++] = number;
    });
  }
}
