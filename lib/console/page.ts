import { escapeHtml, htmlDocument } from '../http/page/html.js';

/** The documents that the console serves. They hold no data: `browser/main.ts` fills the page. */

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
  `<a class="skip" id="skip" href="#main">Skip to the content</a>
<header class="top">
  <p class="brand"><span>Telephony hook</span> <span class="quiet" id="org"></span></p>
  <nav aria-label="Views" id="views"></nav>
</header>
<div id="connection" role="status"></div>
<main id="main"></main>
<noscript><p>The console needs JavaScript: allow it for this page and load it again.</p></noscript>`,
);

/** The page for callers who may not use the console. They may not load the style sheet either. */
export function refusalPage(title: string, sentences: readonly string[]): string {
  const head = '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">';
  const lines = sentences.map((sentence) => `<p>${escapeHtml(sentence)}</p>`);
  return htmlDocument(title, head, `<main>\n<h1>${escapeHtml(title)}</h1>\n${lines.join('\n')}\n</main>`);
}
