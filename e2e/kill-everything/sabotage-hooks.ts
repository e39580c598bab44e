// Loaded by Node before a sabotaged process (`--import …/sabotage-hooks.ts?NAME`): changes one source file as it is read.
import { registerHooks } from 'node:module';
import { sabotageOf } from './sabotages.ts';

const name = new URL(import.meta.url).search.slice(1);
const sabotage = sabotageOf(name);
if (sabotage === undefined) throw new Error(`there is no sabotage ${name}`);
const { file, find, replace } = sabotage;

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/${file}`)) return loaded;
    const source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
    if (!source.includes(find)) throw new Error(`${file} has changed: the sabotage ${name} finds nothing to replace`);
    return { ...loaded, source: source.replace(find, () => replace) };
  },
});
