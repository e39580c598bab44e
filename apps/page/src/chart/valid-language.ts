// uPlot hands the browser's language to Intl as it loads, which throws on what a browser under a POSIX locale calls
// itself (`en-US@posix`). Imported before it; the page's own figures don't depend on the language.
if (!isLanguage(navigator.language)) Object.defineProperty(navigator, 'language', { value: 'en-US' });

function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

export {};
