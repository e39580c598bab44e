import { chooseTheme, THEME_CHOICES, type ThemeChoice } from './theme.ts';
import { useThemeChoice } from './use-theme.ts';

const SIGNS: Readonly<Record<ThemeChoice, string>> = { system: '◐', light: '☀', dark: '☾' };
const NAMES: Readonly<Record<ThemeChoice, string>> = { system: 'as the system', light: 'light', dark: 'dark' };

/** A button that changes between the system's colours, light and dark ones. */
export function ThemeSwitch() {
  const choice = useThemeChoice();
  const next = THEME_CHOICES[(THEME_CHOICES.indexOf(choice) + 1) % THEME_CHOICES.length];
  const label = `Colours: ${NAMES[choice]}; change to ${NAMES[next]}`;
  return (
    <button type="button" className="theme-switch" aria-label={label} title={label} onClick={() => chooseTheme(next)}>
      <span aria-hidden="true">{SIGNS[choice]}</span>
    </button>
  );
}
