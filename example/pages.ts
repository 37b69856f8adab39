import { createHash } from 'node:crypto';
import type { GatewayUser } from './login.js';

const STYLE = `
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem; }
form { display: grid; gap: 0.75rem; max-width: 20rem; }
button { font: inherit; padding: 0.4rem 0.6rem; }
.word { font: 1.75rem/1.2 ui-monospace, monospace; letter-spacing: 0.1em; margin: 0.5rem 0; }
.notice { border-left: 0.25rem solid; padding-left: 0.75rem; }
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
<meta name="viewport" content="width=device-width">
<title>${title} - Acme identity gateway</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
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

export function homePage({ user, hasLogin }: { user: GatewayUser | undefined; hasLogin: boolean }): string {
  if (user !== undefined) {
    return page('Welcome', markup`<p>Signed in as ${user.name}. <a href="/account">Account</a></p>`);
  }
  const link = hasLogin ? markup`<a href="/login">Sign in with Okta</a>` : '';
  return page('Welcome', markup`<p>You are not signed in. ${link}</p>`);
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
    markup`<p>This is the account of ${user.name}. <a href="/">Home</a></p>
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
/** The policy of `signInPage`, with its script. */
export const SIGN_IN_POLICY = `${CONTENT_SECURITY_POLICY}; script-src ${digestOf(TO_LOGIN)}`;

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
