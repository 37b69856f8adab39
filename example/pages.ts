import { createHash } from 'node:crypto';

const STYLE = `
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem; }
form { display: grid; gap: 0.75rem; max-width: 20rem; }
label { display: grid; gap: 0.25rem; }
input, select, button { font: inherit; padding: 0.4rem 0.6rem; }
.problem { color: #b00020; }
.word { font: 1.75rem/1.2 ui-monospace, monospace; letter-spacing: 0.1em; margin: 0.5rem 0; }
.notice { border-left: 0.25rem solid; padding-left: 0.75rem; }
@media (prefers-color-scheme: dark) { .problem { color: #ff8a95; } }
`;

/** The one inline style by its digest, and nothing else: no script, no image, no frame. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** HTML that is safe to put into a page. */
export interface Html {
  readonly html: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text between the literal parts is escaped, so that forgetting it is not possible. */
export function markup(parts: TemplateStringsArray, ...values: readonly (string | Html)[]): Html {
  const escaped = values.map((value) =>
    typeof value === 'string' ? value.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? '') : value.html,
  );
  return { html: String.raw({ raw: parts }, ...escaped) };
}

/** @param refresh - what is opened by itself after a while, without a script. */
export function page(
  title: string,
  content: Html,
  refresh?: { readonly seconds: number; readonly path: string },
): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
${refresh === undefined ? '' : markup`<meta http-equiv="refresh" content="${String(refresh.seconds)}; url=${refresh.path}">`}
<title>${title} - Acme identity gateway</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
<h1>${title}</h1>
${content}
</body>
</html>
`.html;
}

export const csrfField = (token: string): Html =>
  markup`<input type="hidden" name="csrfToken" value="${token}">`;

export function homePage(username: string | undefined): string {
  return page(
    'Welcome',
    username === undefined
      ? markup`<p>Nobody is logged in. <a href="/login">Log in</a></p>`
      : markup`<p>Logged in as ${username}. <a href="/account">Account</a></p>`,
  );
}

export function loginPage(parts: { readonly csrfToken: string; readonly hasFailed: boolean }): string {
  // One sentence for a wrong name and a wrong password: the page does not tell who has an account.
  const problem = markup`<p class="problem" role="alert">The name or the password is wrong.</p>`;
  return page(
    'Log in',
    markup`${parts.hasFailed ? problem : ''}
<form method="post" action="/login">
${csrfField(parts.csrfToken)}
<label>Name <input name="username" autocomplete="username" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>`,
  );
}

export function accountPage(parts: {
  readonly username: string;
  readonly csrfToken: string;
  readonly hasPreferences: boolean;
  readonly consolePath: string | undefined;
}): string {
  const { consolePath } = parts;
  const preferences = markup`<p><a href="/preferences">How your sign-in codes come</a></p>`;
  return page(
    'Account',
    markup`<p>This is the account of ${parts.username}. <a href="/">Home</a></p>
${parts.hasPreferences ? preferences : ''}
${consolePath === undefined ? '' : markup`<p><a href="${consolePath}">What became of codes: the hook's console</a></p>`}
<form method="post" action="/logout">${csrfField(parts.csrfToken)}<button>Log out</button></form>`,
  );
}

export function problemPage(title: string, sentence: string): string {
  return page(title, markup`<p>${sentence} <a href="/">Home</a></p>`);
}
