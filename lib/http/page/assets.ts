import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
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

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

interface Asset {
  readonly type: string;
  readonly content: Buffer;
  readonly etag: string;
}

/** The files of some folders by their path. */
export interface Assets {
  /** Answers with a file, e.g. `console/browser/main.js`; `false` if there is no such file. */
  serve(path: string, req: IncomingMessage, res: ServerResponse): boolean;
}

/**
 * Reads all files into memory, once.
 *
 * @param folders - of the package, e.g. `http/page/browser`. URLs have the same relative paths, so that
 * modules find each other.
 */
export function readAssets(folders: readonly string[]): Assets {
  const assets = new Map<string, Asset>();
  for (const folder of folders) {
    const url = folderUrl(folder);
    for (const file of readdirSync(url)) {
      const type = TYPES[file.split('.').at(-1) ?? ''];
      if (type === undefined) continue;
      const content = readFileSync(new URL(file, url));
      const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
      assets.set(`${folder}/${file}`, { type, content, etag });
    }
  }
  return {
    serve: (path, req, res) => {
      const asset = assets.get(path);
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

/** The folder beside this file in the published package. From sources the browser modules are in `dist`. */
function folderUrl(folder: string): URL {
  const here = new URL(`../../${folder}/`, import.meta.url);
  if (existsSync(here) && readdirSync(here).some((file) => file.endsWith('.js'))) return here;
  const built = new URL(`../../../dist/${folder}/`, import.meta.url);
  if (existsSync(built)) return built;
  throw new Error(`The modules of ${folder} are not built: run npm run build.`);
}
