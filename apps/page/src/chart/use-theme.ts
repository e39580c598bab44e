import { useSyncExternalStore } from 'react';
import type { Theme } from './palette.ts';

const dark = matchMedia('(prefers-color-scheme: dark)');

/** The theme that the reader's system asks for; canvases need to know, CSS follows by itself. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, () => (dark.matches ? 'dark' : 'light'));
}

function subscribe(changed: () => void): () => void {
  dark.addEventListener('change', changed);
  return () => dark.removeEventListener('change', changed);
}
