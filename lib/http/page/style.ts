import { readFileSync } from 'node:fs';

/**
 * The style sheet that the console and the phones' page share: colours for light and dark, type, buttons and fields. It is for
 * other pages beside them, as the text of a `<style>` element. The build replaces this file by one with the text, which a
 * bundle can contain.
 */
export const pageStyle: string = readFileSync(new URL('browser/base.css', import.meta.url), 'utf8');
