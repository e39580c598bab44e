import { useCallback, useEffect, useState } from 'react';
import { parseRoute, printRoute, type Route } from './route.ts';

/** Returns the route in the address bar, and a function that changes it, with or without a new history entry. */
export function useRoute(): readonly [Route, (route: Route, how?: 'push' | 'replace') => void] {
  const [fragment, setFragment] = useState(() => location.hash);
  useEffect(() => {
    const follow = (): void => setFragment(location.hash);
    addEventListener('hashchange', follow);
    addEventListener('popstate', follow);
    return () => {
      removeEventListener('hashchange', follow);
      removeEventListener('popstate', follow);
    };
  }, []);
  const go = useCallback((route: Route, how: 'push' | 'replace' = 'push') => {
    const next = printRoute(route);
    if (next === location.hash) return;
    if (how === 'replace') history.replaceState(null, '', next);
    else history.pushState(null, '', next);
    setFragment(next);
  }, []);
  return [parseRoute(fragment), go];
}
