import type { PageFiles } from '../http/page/assets.js';

/**
 * The script and the style sheet of the page. The build replaces this file by one with their texts, which a bundle can
 * contain. Before, the texts are those of the last build.
 */
export const { script, style } = (await import(
  new URL('../../dist/console/page-files.js', import.meta.url).href
)) as PageFiles;
