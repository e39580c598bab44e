// Writes docs/settings.md from the schema of the settings. `--check` writes nothing and fails when it differs.
import { renderSettings } from '../libs/run/settings/src/index.ts';
import { putGenerated } from './generated-file.mjs';

putGenerated('docs/settings.md', renderSettings(), 'the schema');
