import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ROOT } from '#harness/consumer.js';
import { commandLinePage } from './commands.js';
import { environmentPage } from './environment.js';
import { eventsPage } from './events.js';
import { metricsPage, warningsPage } from './lists.js';
import { optionsPage } from './options.js';
import { codesPage, providerCodesPage } from './provider-codes.js';

/** The reference pages, which `npm run docs:reference` writes from the sources. */

const FOLDER = 'docs/reference';

/** How each page is made. */
const MAKERS: Readonly<Record<string, (kept: string) => string>> = {
  'cli.md': commandLinePage,
  'codes.md': codesPage,
  'environment.md': environmentPage,
  'events.md': eventsPage,
  'metrics.md': metricsPage,
  'options.md': optionsPage,
  'provider-codes.md': providerCodesPage,
  'warnings.md': warningsPage,
};

/** A page as the sources make it (`now`), and as it is in the checkout (`kept`; empty if there is none). */
export interface RemadePage {
  readonly path: string;
  readonly now: string;
  readonly kept: string;
}

export async function remakePages(): Promise<readonly RemadePage[]> {
  return Promise.all(
    Object.entries(MAKERS).map(async ([name, make]) => {
      const path = `${FOLDER}/${name}`;
      const file = join(ROOT, path);
      const kept = readIfThere(file);
      const now = await format(make(kept), { ...(await resolveConfig(file)), filepath: file });
      return { path, now, kept };
    }),
  );
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
