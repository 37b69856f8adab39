import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import express from 'express';
import type { Tokens } from 'marked';
import { CONTENT_SECURITY_POLICY, markup, page } from './pages.js';

/** The guides of the package as pages, for the demo. */

export const GUIDES_PATH = '/guide';
const INDEX = `${GUIDES_PATH}/README.md`;
const FOLDER = fileURLToPath(new URL('../docs/', import.meta.url));
const SCREENSHOTS = 'screenshots';

/** Whether the guides are there: a container has none. */
export const hasGuides = (): boolean => existsSync(FOLDER);

export function createGuides(): express.Router {
  const guides = express.Router();
  guides.get(GUIDES_PATH, (_req, res) => {
    res.redirect(INDEX);
  });
  guides.use(`${GUIDES_PATH}/${SCREENSHOTS}`, express.static(FOLDER + SCREENSHOTS));
  guides.get(/^\/guide\/((?:[a-z-]+\/)?[\w-]+\.md)$/, async (req, res, next) => {
    const path = req.params[0] ?? '';
    if (!existsSync(FOLDER + path)) {
      next();
      return;
    }
    const guide = await readGuide(path);
    res.set('content-security-policy', `${CONTENT_SECURITY_POLICY}; img-src 'self'`);
    res.send(page(guide.title, markup`<p><a href="${INDEX}">All guides</a></p>${{ html: guide.html }}`));
  });
  return guides;
}

/** The first heading, and the rest as HTML. Only development has the library, so it loads late. */
async function readGuide(path: string): Promise<{ readonly title: string; readonly html: string }> {
  const { Marked } = await import('marked');
  const marked = new Marked({
    renderer: {
      // The same anchors as GitHub's, which links between the guides use.
      heading({ depth, text, tokens }: Tokens.Heading): string {
        return `<h${depth} id="${anchorOf(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      // The demo serves the guides only. A link to another file of the package would lead nowhere.
      link({ href, tokens }: Tokens.Link): string | false {
        return isServed(path, href) ? false : this.parser.parseInline(tokens);
      },
    },
  });
  const [first, ...rest] = marked.lexer(await readFile(FOLDER + path, 'utf8'));
  return {
    title: first?.type === 'heading' ? (first as Tokens.Heading).text : 'Guide',
    html: marked.parser(rest),
  };
}

const anchorOf = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

function isServed(page: string, href: string): boolean {
  if (/^(?:https?:|#)/.test(href)) return true;
  const target = posix.join(posix.dirname(page), href.replace(/#.*/, ''));
  return !target.startsWith('..') && target.endsWith('.md');
}
