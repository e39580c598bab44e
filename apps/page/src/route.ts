import { type ChartStyle, DEFAULT_STYLE, DRAWINGS, SCALES } from './chart/chart-style.ts';
import { parseRange, printRange, type TimeRange } from './time-range.ts';

/** The state of the page. All of it is in the fragment of the address, so that an address can be shared. */
export type Route =
  | { readonly view: 'dashboard'; readonly range: TimeRange; readonly host: string }
  | {
      readonly view: 'explore';
      readonly range: TimeRange;
      readonly query: string;
      readonly top: number;
      readonly style: ChartStyle;
    }
  | { readonly view: 'status' };

export const DEFAULT_DASHBOARD_RANGE: TimeRange = { type: 'last', seconds: 300 };
export const DEFAULT_EXPLORE_RANGE: TimeRange = { type: 'last', seconds: 900 };
export const TOP_CHOICES: readonly number[] = [5, 10, 20, 50, 100];
export const DEFAULT_TOP = 20;

/** Max length of a query that the server accepts, UTF-16 code units. */
const QUERY_LENGTH = 16_384;

/** Reads `#/explore?q=…&range=15m`. A missing or malformed field gets its default. */
export function parseRoute(fragment: string): Route {
  const [path, search = ''] = fragment.replace(/^#/, '').split('?', 2);
  const fields = new URLSearchParams(search);
  const range = parseRange(fields.get('range') ?? '');
  if (path === '/status') return { view: 'status' };
  if (path === '/explore') {
    const top = Number(fields.get('top'));
    return {
      view: 'explore',
      range: range ?? DEFAULT_EXPLORE_RANGE,
      query: (fields.get('q') ?? '').slice(0, QUERY_LENGTH),
      top: TOP_CHOICES.includes(top) ? top : DEFAULT_TOP,
      style: {
        drawing: DRAWINGS.find((one) => one === fields.get('draw')) ?? DEFAULT_STYLE.drawing,
        scale: SCALES.find((one) => one === fields.get('scale')) ?? DEFAULT_STYLE.scale,
      },
    };
  }
  return { view: 'dashboard', range: range ?? DEFAULT_DASHBOARD_RANGE, host: fields.get('host') ?? '' };
}

/** Returns the fragment of a route with `#`, without fields that have their default. */
export function printRoute(route: Route): string {
  const fields = new URLSearchParams();
  if (route.view === 'status') return '#/status';
  const isExplore = route.view === 'explore';
  if (isExplore && route.query !== '') fields.set('q', route.query);
  if (!isExplore && route.host !== '') fields.set('host', route.host);
  const usual = printRange(isExplore ? DEFAULT_EXPLORE_RANGE : DEFAULT_DASHBOARD_RANGE);
  if (printRange(route.range) !== usual) fields.set('range', printRange(route.range));
  if (isExplore && route.top !== DEFAULT_TOP) fields.set('top', String(route.top));
  if (isExplore && route.style.drawing !== DEFAULT_STYLE.drawing) fields.set('draw', route.style.drawing);
  if (isExplore && route.style.scale !== DEFAULT_STYLE.scale) fields.set('scale', route.style.scale);
  const search = fields.toString();
  return `#/${isExplore ? 'explore' : ''}${search === '' ? '' : `?${search}`}`;
}
