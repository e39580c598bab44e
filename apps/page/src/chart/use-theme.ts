import { useSyncExternalStore } from 'react';
import type { Theme } from './palette.ts';

const dark = matchMedia('(prefers-color-scheme: dark)');

/** Returns the theme of the reader's system, for canvases: CSS follows the system by itself. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, () => (dark.matches ? 'dark' : 'light'));
}

function subscribe(changed: () => void): () => void {
  dark.addEventListener('change', changed);
  return () => dark.removeEventListener('change', changed);
}
