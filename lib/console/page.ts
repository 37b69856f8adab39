import { createHash } from 'node:crypto';
import { PAGE_HEADERS } from '../http/page/assets.js';
import { escapeHtml, htmlDocument } from '../http/page/html.js';

/** The documents that the console serves. They hold no data: `browser/main.tsx` fills the page. */

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%231f4fd8'/%3E%3Cpath d='M4 8.5l2.8 2.8L12 5' fill='none' stroke='%23fff' stroke-width='2'/%3E%3C/svg%3E";

/**
 * Its links are relative: it is served at a path that ends with `/`, its script and style sheet below `assets/`, the
 * routes of `api.ts` beside it.
 */
export const CONSOLE_PAGE = htmlDocument(
  'Telephony hook console',
  `<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="assets/main.css">
<script type="module" src="assets/main.js"></script>`,
  `<div id="page"></div>
<noscript><p>The console needs JavaScript: allow it for this page and load it again.</p></noscript>`,
);

const REFUSAL_STYLE =
  ':root { color-scheme: light dark } body { max-width: 40rem; margin: 3rem auto; padding: 0 1.5rem; font: 1rem/1.5 system-ui, sans-serif } h1 { font-size: 1.5rem; line-height: 1.25 }';

/** Allow the style of `refusalPage` by its digest. */
export const REFUSAL_HEADERS = {
  ...PAGE_HEADERS,
  'Content-Security-Policy': PAGE_HEADERS['Content-Security-Policy'].replace(
    "style-src 'self'",
    `style-src 'sha256-${createHash('sha256').update(REFUSAL_STYLE).digest('base64')}'`,
  ),
};

/** The page for callers who may not use the console. They may not load the style sheet either, so it has a style of its own. */
export function refusalPage(title: string, sentences: readonly string[]): string {
  const head = `<link rel="icon" href="data:,">\n<style>${REFUSAL_STYLE}</style>`;
  const lines = sentences.map((sentence) => `<p>${escapeHtml(sentence)}</p>`);
  return htmlDocument(title, head, `<main>\n<h1>${escapeHtml(title)}</h1>\n${lines.join('\n')}\n</main>`);
}
