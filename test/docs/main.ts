import { writeFileSync } from 'node:fs';
import { stdout } from 'node:process';
import { remake } from './code-tables.js';

/** Generates the tables of vendors' codes in `docs/reference/codes.md` again. Run it after a change of a table in the sources. */
const { path, now, kept } = await remake();
if (now !== kept) writeFileSync(path, now);
stdout.write(`${path}: ${now === kept ? 'as it was' : 'written'}\n`);
