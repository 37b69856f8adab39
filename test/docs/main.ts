import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stdout } from 'node:process';
import { ROOT } from '#harness/consumer.js';
import { remakePages } from './reference/pages.js';

/** Writes the reference pages anew: `npm run docs:reference`, after a change of what they are made of. */
for (const { path, now, kept } of await remakePages()) {
  if (now !== kept) writeFileSync(join(ROOT, path), now);
  stdout.write(`${path}: ${now === kept ? 'as it was' : 'written'}\n`);
}
