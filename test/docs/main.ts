import { writeFileSync } from 'node:fs';
import { stdout } from 'node:process';
import { remake } from './code-tables.js';

/** Writes the tables of vendors' codes into `.docs/codes.md` anew; run by hand when a table of the sources changed. */
const { path, now, kept } = await remake();
if (now !== kept) writeFileSync(path, now);
stdout.write(`${path}: ${now === kept ? 'as it was' : 'written'}\n`);
