import { readFileSync } from 'node:fs';

/** The version of the package. The build replaces this file by one with the version as text, which a bundle can contain. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
