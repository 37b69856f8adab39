import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
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

const TYPES = {
  'main.js': 'text/javascript; charset=utf-8',
  'main.css': 'text/css; charset=utf-8',
} as const;

interface Asset {
  readonly type: string;
  readonly content: Buffer;
  readonly etag: string;
}

/** The script and the style sheet of one page. */
export interface Assets {
  /** Answers for `main.js` or `main.css`; `false` for every other name. */
  serve(name: string, req: IncomingMessage, res: ServerResponse): boolean;
}

/** @param folder - where the page's sources are in `lib`, e.g. `console/browser`. */
export function readAssets(folder: string): Assets {
  const place = builtPage(folder);
  const assets = new Map<string, Asset>();
  for (const [name, type] of Object.entries(TYPES)) {
    const content = readFileSync(new URL(name, place));
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
    assets.set(name, { type, content, etag });
  }
  return {
    serve: (name, req, res) => {
      const asset = assets.get(name);
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

/** Beside this file as it is published; where the package runs from its sources, a page is built into `dist`. */
function builtPage(folder: string): URL {
  const published = new URL(`../../${folder}/`, import.meta.url);
  if (existsSync(new URL('main.js', published))) return published;
  const built = new URL(`../../../dist/${folder}/`, import.meta.url);
  if (existsSync(new URL('main.js', built))) return built;
  throw new Error(`The page of ${folder} is not built: run npm run build.`);
}
