import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildIfStale, ROOT } from '#harness/consumer.js';
import { linesOf } from './weight.js';

/** The lines of the declarations that `import … from 'okta-telephony-hook'` reads, with their comments, without blank lines. */
export function countTypeLines(): Readonly<Record<'lines', number>> {
  buildIfStale();
  const reached = new Map<string, number>();
  const reach = (file: string): void => {
    if (reached.has(file)) return;
    const text = readFileSync(file, 'utf8');
    reached.set(file, linesOf(text).length);
    for (const [, target = ''] of text.matchAll(/\b(?:from |import\()['"](\.[^'"]+)\.js['"]/g)) {
      reach(join(dirname(file), `${target}.d.ts`));
    }
  };
  reach(join(ROOT, 'dist/index.d.ts'));
  return { lines: [...reached.values()].reduce((sum, lines) => sum + lines, 0) };
}
