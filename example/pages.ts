import { createHash } from 'node:crypto';
import { pageStyle } from 'okta-telephony-hook/demo';
import type { GatewayUser } from './login.js';

/** The console's style, and what only these pages have. */
const STYLE = `${pageStyle}
body > header { padding: 0.75rem 1.5rem; border-bottom: 1px solid var(--line); background: var(--raised); }
header a { color: var(--text); font-weight: 600; text-decoration: none; }
main { max-width: 40rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
form { margin: 1.5rem 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
table { display: block; overflow-x: auto; }
img { max-width: 100%; }
.links { padding: 0; list-style: none; }
.links li { margin: 1rem 0; }
.word { font: 1.75rem/1.2 var(--mono); letter-spacing: 0.1em; margin: 0.5rem 0; }
.notice { margin: 1rem 0; padding: 0.75rem 1rem; border-left: 0.25rem solid var(--warn); background: var(--raised); }
`;

const digestOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Allows the inline style by its digest, and nothing else: no script, no image, no frame. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src ${digestOf(STYLE)}`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** HTML that is safe to put into a page. */
export interface Html {
  readonly html: string;
}

/** Leads to the login, and from there to the page of this path. */
export const loginPathFor = (path: string): string => `/login?to=${encodeURIComponent(path)}`;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Makes HTML of a template. Its values are escaped, so that nobody can forget it. */
export function markup(parts: TemplateStringsArray, ...values: readonly (string | Html)[]): Html {
  const escaped = values.map((value) =>
    typeof value === 'string' ? value.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? '') : value.html,
  );
  return { html: String.raw({ raw: parts }, ...escaped) };
}

export function page(title: string, content: Html): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - Acme identity gateway</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
<header><a href="/">Acme identity gateway</a></header>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`.html;
}

export const csrfField = (token: string): Html =>
  markup`<input type="hidden" name="csrfToken" value="${token}">`;

/** A link of the home page, and what it is for. */
export type HomeLink = Readonly<Record<'title' | 'href' | 'purpose', string>>;

export function homePage(
  user: GatewayUser | undefined,
  hasLogin: boolean,
  links: readonly HomeLink[],
): string {
  const login = hasLogin ? markup`<a href="/login">Sign in with Okta</a>` : '';
  const who =
    user === undefined
      ? markup`<p>You are not signed in. ${login}</p>`
      : markup`<p>Signed in as ${user.name}. <a href="/account">Account</a></p>`;
  const items = links.map(
    ({ title, href, purpose }) => markup`<li><a href="${href}">${title}</a><br>${purpose}</li>`.html,
  );
  return page('Welcome', markup`${who}\n<ul class="links">${{ html: items.join('\n') }}</ul>`);
}

export function accountPage(parts: {
  readonly user: GatewayUser;
  readonly hasPreferences: boolean;
  readonly consolePath: string | undefined;
}): string {
  const { user, hasPreferences, consolePath } = parts;
  const preferences = markup`<p><a href="/preferences">How your sign-in codes come</a></p>`;
  return page(
    'Account',
    markup`<p>This is the account of ${user.name}.</p>
${hasPreferences ? preferences : ''}
${consolePath === undefined ? '' : markup`<p><a href="${consolePath}">The console of the telephony hook</a></p>`}
<form method="post" action="/logout">${csrfField(user.csrfToken)}<button>Sign out</button></form>`,
  );
}

/** @param link - leads on from here. */
export function problemPage(title: string, sentence: string, link = { title: 'Home', path: '/' }): string {
  return page(title, markup`<p>${sentence} <a href="${link.path}">${link.title}</a></p>`);
}

const TO_LOGIN = `location.replace('/login?to=' + encodeURIComponent(location.pathname + location.search + location.hash));`;
/** The policy of a page with this script. `more` has further directives. */
export function policyWith(script: string, ...more: readonly string[]): string {
  return [CONTENT_SECURITY_POLICY, `script-src ${digestOf(script)}`, ...more].join('; ');
}

/** The policy of `signInPage`, with its script. */
export const SIGN_IN_POLICY = policyWith(TO_LOGIN);

/**
 * Leads to the login. The console has its view behind the `#` of its address, which browsers do not send: a redirect would lose it,
 * but the script keeps it.
 */
export function signInPage(path: string): string {
  return page(
    'Sign in',
    markup`<p><a href="${loginPathFor(path)}">Sign in with Okta</a> to see this page.</p>
<script>${{ html: TO_LOGIN }}</script>`,
  );
}
