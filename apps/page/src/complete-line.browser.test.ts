import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeInChromium, PageInChromium } from './testing/page-in-chromium.ts';

const FROM_S = 1_790_000_000;
const LENGTH_S = 60;
/** A step of 1 s that begins here is the first that may still change, seconds after `FROM_S`. */
const INCOMPLETE_FROM = 40;
const USUAL = 10;

/** Answers one line of steps of 1 s; an undefined value is a step without one. */
function answerWith(valueAt: (second: number) => number | undefined): object {
  const pointlist = Array.from({ length: LENGTH_S }, (_, second) => [
    (FROM_S + second) * 1_000,
    valueAt(second),
  ]).filter(([, value]) => value !== undefined);
  const end = (FROM_S + INCOMPLETE_FROM) * 1_000;
  const series = {
    metric: 'shop.steady',
    display_name: 'shop.steady',
    expression: 'sum:shop.steady{*}',
    scope: '*',
    tag_set: [],
    interval: 1,
    pointlist,
    complete_length: pointlist.filter(([timeMs = 0]) => timeMs < end).length,
  };
  return { status: 'ok', series: [series], complete_through: end / 1_000, errors: [], gaps: [], notes: [] };
}

describeInChromium('the line of completeness in Chromium', () => {
  let chromium: PageInChromium;

  beforeAll(async () => {
    chromium = await PageInChromium.start();
  });

  afterAll(() => chromium?.stop());

  /**
   * Draws the answer, and returns for each pixel column from one second to another the value at which the line is, or
   * undefined where there is no line. A steep part has the value of its middle.
   */
  async function draw(answer: object): Promise<(fromS: number, toS: number) => readonly (number | undefined)[]> {
    chromium.fake.answerOf = () => answer;
    const range = `${FROM_S * 1_000}-${(FROM_S + LENGTH_S) * 1_000}`;
    await chromium.open(`#/explore?q=${encodeURIComponent('sum:shop.steady{*}')}&range=${range}`);
    await chromium.page.getByRole('row', { name: /shop\.steady/ }).waitFor();
    const heights = await chromium.page.locator('.chart').evaluate(lineHeights);
    // The level of the first second, whose value is known, gives the scale: the axis begins at zero.
    const usual = heights[4] ?? Number.NaN;
    const perSecond = heights.length / LENGTH_S;
    return (fromS, toS) =>
      heights
        .slice(Math.ceil(fromS * perSecond), Math.floor(toS * perSecond))
        .map((height) => (height === undefined ? undefined : Math.round((height / usual) * USUAL * 2) / 2));
  }

  const distinct = (values: readonly (number | undefined)[]) => [...new Set(values)];

  test('left of the line a dip is a dip: a step that may still change does not bend the solid line', async () => {
    const valueAt = await draw(answerWith((second) => (second < INCOMPLETE_FROM ? USUAL : 3)));
    expect(distinct(valueAt(0.5, INCOMPLETE_FROM - 0.5))).toEqual([USUAL]);
    const after = valueAt(INCOMPLETE_FROM + 0.5, LENGTH_S - 1.5);
    const drawn = after.filter((value) => value !== undefined);
    expect(distinct(drawn)).toEqual([3]);
    // Dashed: columns with a line and columns without one take turns.
    expect(drawn.length / after.length).toBeGreaterThan(0.3);
    expect(drawn.length / after.length).toBeLessThan(0.8);
  });

  test('left of the line a dip is a dip: a real one is drawn, solid and to its bottom', async () => {
    const valueAt = await draw(answerWith((second) => (second >= 20 && second < 30 ? 5 : USUAL)));
    expect(distinct(valueAt(20.5, 28.5))).toEqual([5]);
    expect(distinct(valueAt(0.5, 18.5))).toEqual([USUAL]);
    expect(distinct(valueAt(30.5, INCOMPLETE_FROM - 0.5))).toEqual([USUAL]);
  });

  test('a gap of a lone series is a gap', async () => {
    const valueAt = await draw(answerWith((second) => (second >= 20 && second < 25 ? undefined : USUAL)));
    expect(distinct(valueAt(19.5, 24.5))).toEqual([undefined]);
    expect(distinct(valueAt(0.5, 18.5))).toEqual([USUAL]);
    expect(distinct(valueAt(25.5, INCOMPLETE_FROM - 0.5))).toEqual([USUAL]);
  });

  test('where nothing is known to be complete, no part of the line is solid', async () => {
    const answer = answerWith(() => USUAL) as { readonly series: readonly object[] };
    const series = answer.series.map((one) => ({ ...one, complete_length: 0 }));
    const valueAt = await draw({ ...answer, series, complete_through: null });
    const all = valueAt(0.5, LENGTH_S - 1.5);
    const drawn = all.filter((value) => value !== undefined);
    expect(drawn.length / all.length).toBeGreaterThan(0.3);
    expect(drawn.length / all.length).toBeLessThan(0.8);
  });
});

/** Returns the height of the line above the axis for each column of the graph, pixels. Runs in the browser. */
function lineHeights(chart: Element): (number | undefined)[] {
  const canvas = chart.querySelector('canvas');
  const over = chart.querySelector<HTMLElement>('.u-over');
  const context = canvas?.getContext('2d');
  if (!canvas || !over || !context) throw new Error('no graph');
  const ratio = devicePixelRatio;
  const [left, top, width, height] = [over.offsetLeft, over.offsetTop, over.clientWidth, over.clientHeight].map((px) =>
    Math.round(px * ratio),
  );
  const { data } = context.getImageData(left, top, width, height);
  return Array.from({ length: width }, (_, x) => {
    const found: number[] = [];
    for (let y = 0; y < height; y++) {
      const at = 4 * (y * width + x);
      // The blue of the first line, opaque: the area below it is nearly clear, the shade and its words are teal.
      if (data[at + 3] > 120 && data[at] < 120 && data[at + 2] - data[at + 1] > 60) found.push(y);
    }
    return found.length === 0 ? undefined : height - (found[0] + found[found.length - 1]) / 2;
  });
}
