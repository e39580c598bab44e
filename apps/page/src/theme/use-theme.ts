import { useSyncExternalStore } from 'react';
import { currentTheme, onThemeChange, type Theme, type ThemeChoice, themeChoice } from './theme.ts';

/** Returns the colours that are shown, for canvases: CSS follows by itself. */
export function useTheme(): Theme {
  return useSyncExternalStore(onThemeChange, currentTheme);
}

export function useThemeChoice(): ThemeChoice {
  return useSyncExternalStore(onThemeChange, themeChoice);
}
