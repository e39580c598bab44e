// The attackers, in a process of their own: `[target, names of attacks]` as JSON. They end with the process that started
// them.
import { setMaxListeners } from 'node:events';
import type { Target } from './attack.ts';
import { ATTACKS } from './attacks.ts';

const [target, names]: [Target, string[]] = JSON.parse(process.argv[2]);
const over = new AbortController();
process.on('message', () => over.abort());
process.on('disconnect', () => process.exit(1));
// A warning of Node: one signal ends hundreds of connections on purpose.
setMaxListeners(0, over.signal);
await Promise.all(names.map((name) => ATTACKS[name](target, over.signal)));
process.exit(0);
