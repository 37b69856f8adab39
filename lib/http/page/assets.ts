import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Serves the static files of the pages (console, emulated phones) and the security headers of everything that
 * they answer.
 */

/**
 * Allows only the page's own files: no inline script or style, no other origin, no frame. Text of a user or
 * of Okta could then not run even if it became markup.
 */
export const PAGE_HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

/** The texts of one page's script and style sheet. */
export interface PageFiles {
  readonly script: string;
  readonly style: string;
}

interface Asset {
  readonly type: string;
  readonly content: Buffer;
  readonly etag: string;
}

/**
 * The script and the style sheet of one page.
 *
 * @param load - imports the page's files. It is called for the first request: many gateways never show the page.
 */
export function createAssets(load: () => Promise<PageFiles>) {
  let loaded: Promise<ReadonlyMap<string, Asset>> | undefined;
  return {
    /** Answers for `main.js` or `main.css`; `false` for every other name. */
    serve: async (name: string, req: IncomingMessage, res: ServerResponse): Promise<boolean> => {
      loaded ??= load().then(assetsOf);
      const asset = (await loaded).get(name);
      if (asset === undefined) return false;
      const headers = { ...PAGE_HEADERS, 'Cache-Control': 'no-cache', ETag: asset.etag };
      if (req.headers['if-none-match'] === asset.etag) res.writeHead(304, headers).end();
      else {
        const length = { 'Content-Type': asset.type, 'Content-Length': asset.content.length };
        res.writeHead(200, { ...headers, ...length }).end(req.method === 'HEAD' ? undefined : asset.content);
      }
      return true;
    },
  };
}

function assetsOf({ script, style }: PageFiles): ReadonlyMap<string, Asset> {
  return new Map([
    ['main.js', assetOf('text/javascript; charset=utf-8', script)],
    ['main.css', assetOf('text/css; charset=utf-8', style)],
  ]);
}

function assetOf(type: string, text: string): Asset {
  const content = Buffer.from(text);
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
  return { type, content, etag };
}
