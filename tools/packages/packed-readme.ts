const OWN_SECTION = '\n## In this repository\n';

/**
 * Returns the README of a package of this repository as users of the packed one read it: without the section for
 * contributors, and with the names of pages in place of links, because the package does not contain the pages.
 */
export function packedReadme(readme: string): string {
  const [text] = readme.split(OWN_SECTION);
  const named = text.replace(/\[([^\]]+)\]\((?![a-z]+:|#)(?:\.{1,2}\/)*([^)#\s]+)[^)]*\)/g, '$1 (`$2`)');
  return `${named.trimEnd()}\n`;
}
