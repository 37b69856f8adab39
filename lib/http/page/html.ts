import type { IncomingMessage } from 'node:http';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A text as HTML, in an element or in a quoted attribute. For pages that are made of templates. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? '');
}

/** A whole document. `head` and `body` are markup. */
export function htmlDocument(title: string, head: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
${head}
</head>
<body>
${body}
</body>
</html>
`;
}

/**
 * The redirect target for a page that was requested without its trailing slash, or `undefined`. The URLs in a
 * page are relative to that slash. The target is relative to the requested URL and keeps its query.
 */
export function slashRedirect(
  req: IncomingMessage & { readonly originalUrl?: unknown },
  path: string,
): string | undefined {
  if (path !== '/') return undefined;
  // Express and connect strip the mount path from `url`; `originalUrl` is complete.
  const { originalUrl } = req;
  const [whole = '', ...query] = typeof originalUrl === 'string' ? originalUrl.split('?') : [];
  if (whole === '' || whole.endsWith('/')) return undefined;
  return [`./${whole.slice(whole.lastIndexOf('/') + 1)}/`, ...query].join('?');
}
