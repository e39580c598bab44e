export type Theme = 'light' | 'dark';
/** What the reader chose; `system` follows the system's setting, also when it changes. */
export const THEME_CHOICES = ['system', 'light', 'dark'] as const;
export type ThemeChoice = (typeof THEME_CHOICES)[number];

const STORED = 'tidemark.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();
let choice = storedChoice();

/** Applies the remembered choice. Called before the first drawing, so that no other colours are seen. */
export function startTheme(): void {
  apply();
  dark.addEventListener('change', notify);
}

export function themeChoice(): ThemeChoice {
  return choice;
}

/** Returns the colours that are shown now. */
export function currentTheme(): Theme {
  if (choice !== 'system') return choice;
  return dark.matches ? 'dark' : 'light';
}

/** Changes the colours, and remembers the choice in this browser. */
export function chooseTheme(chosen: ThemeChoice): void {
  choice = chosen;
  apply();
  try {
    if (chosen === 'system') localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, chosen);
  } catch {
    // A browser that stores nothing still shows the chosen colours.
  }
  notify();
}

export function onThemeChange(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}

/** The style sheet follows the attribute; without it, the system. */
function apply(): void {
  const { dataset } = document.documentElement;
  if (choice === 'system') delete dataset.theme;
  else dataset.theme = choice;
}

function notify(): void {
  for (const changed of listeners) changed();
}

function storedChoice(): ThemeChoice {
  try {
    const stored = localStorage.getItem(STORED);
    return THEME_CHOICES.find((one) => one === stored) ?? 'system';
  } catch {
    return 'system';
  }
}
