// uPlot passes the browser's language to Intl when it loads. Intl throws on the name that a browser has under a POSIX
// locale (`en-US@posix`), so this file is imported first. The page's own numbers don't depend on the language.
if (!isLanguage(navigator.language)) Object.defineProperty(navigator, 'language', { value: 'en-US' });

function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

export {};
