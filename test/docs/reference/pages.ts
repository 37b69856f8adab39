import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ROOT } from '#harness/consumer.js';
import { commandLinePage } from './commands.js';
import { environmentPage } from './environment.js';
import { eventsPage } from './events.js';
import { metricsPage, warningsPage } from './lists.js';
import { llmsPage } from './llms.js';
import { optionsPage } from './options.js';
import { codesPage, providerCodesPage } from './provider-codes.js';

/** The pages that `npm run docs:reference` writes from the sources. */

/** How each page is made, from its file as it is. */
const MAKERS: Readonly<Record<string, (kept: string) => string>> = {
  'docs/reference/cli.md': commandLinePage,
  'docs/reference/codes.md': codesPage,
  'docs/reference/environment.md': environmentPage,
  'docs/reference/events.md': eventsPage,
  'docs/reference/metrics.md': metricsPage,
  'docs/reference/options.md': optionsPage,
  'docs/reference/provider-codes.md': providerCodesPage,
  'docs/reference/warnings.md': warningsPage,
  'llms.txt': llmsPage,
};

/** A page as the sources make it (`now`), and as it is in the checkout (`kept`; empty if there is none). */
export interface RemadePage {
  readonly path: string;
  readonly now: string;
  readonly kept: string;
}

export async function remakePages(): Promise<readonly RemadePage[]> {
  return Promise.all(
    Object.entries(MAKERS).map(async ([path, make]) => {
      const file = join(ROOT, path);
      const kept = readIfThere(file);
      const now = await format(make(kept), { ...(await resolveConfig(file)), parser: 'markdown' });
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
