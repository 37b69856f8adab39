import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';
import { ROOT } from '#harness/consumer.js';

/** The pages of the documentation. */

/** The paths of the guides. */
export const GUIDES: readonly string[] = readdirSync(join(ROOT, 'docs'), {
  recursive: true,
  encoding: 'utf8',
})
  .filter((file) => file.endsWith('.md'))
  .map((file) => posix.join('docs', file.replaceAll(sep, '/')))
  .sort();

/** The path of every page. */
export const PAGES: readonly string[] = [
  'README.md',
  'SECURITY.md',
  'TROUBLESHOOTING.md',
  'CHANGELOG.md',
  ...GUIDES,
  'example/deploy/serverless.md',
];

export function pageAt(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** A page without its code blocks, which contain no headings or links. */
export function proseAt(path: string): string {
  return pageAt(path).replaceAll(/^ *```.*?^ *```$/gms, '');
}

/** A Markdown link or picture: the text in brackets, and the target in parentheses. */
export interface Link {
  readonly text: string;
  /** Relative to the page, or a URL. */
  readonly target: string;
  readonly isPicture: boolean;
}

export function linksOf(path: string): readonly Link[] {
  return [...proseAt(path).matchAll(/(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g)].map(
    ([, mark, text = '', target = '']) => ({ text, target, isPicture: mark === '!' }),
  );
}

/** The anchors that GitHub gives the headings of a page, in their order. */
export function anchorsOf(path: string): readonly string[] {
  return [...proseAt(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** The text under a heading, up to the next one of the same level or a higher one. */
export function sectionOf(path: string, heading: string): string {
  const [, marks = '', rest = ''] = new RegExp(`^(#+) ${heading}$(.*)`, 'ms').exec(pageAt(path)) ?? [];
  if (marks === '') throw new Error(`${path} has no heading ${heading}`);
  return rest.split(new RegExp(`^#{1,${marks.length}} `, 'm'))[0] ?? '';
}
