import { createHash } from 'node:crypto';
import { escapeHtml, htmlDocument } from '../../../http/page/html.js';
import { pageStyle } from '../../../http/page/style.js';
import type { Reply } from '../../server/reply.js';

export interface SignInPageView {
  /** Where its forms go. */
  readonly action: string;
  /** The app's redirect URI: Chromium applies `form-action` to the redirect that ends the sign-in, too. */
  readonly redirectUri: string;
  readonly problem: string | undefined;
  readonly step:
    | { readonly kind: 'username'; readonly people: readonly OfferedPerson[] }
    | { readonly kind: 'method'; readonly phoneEndings: PhoneEndings }
    | { readonly kind: 'code'; readonly by: 'sms' | 'call'; readonly ending: string };
}

/** A user whom the page offers, so that nobody needs to type a username. */
export interface OfferedPerson {
  readonly name: string;
  readonly login: string;
}

/** The last digits of the phones that the user enrolled. */
export type PhoneEndings = Partial<Readonly<Record<'sms' | 'call', string>>>;

const STYLE = `${pageStyle}
main { max-width: 26rem; margin: 4rem auto; padding: 0 1rem; }
form { display: grid; gap: 0.5rem; margin: 1rem 0; }
label { display: grid; gap: 0.25rem; }
.person { display: flex; flex-wrap: wrap; gap: 0 0.75rem; justify-content: space-between; text-align: left; }
.problem { color: var(--bad); }
`;
const SUBMIT = 'document.forms[0].submit()';
const [STYLE_HASH, SUBMIT_HASH] = [STYLE, SUBMIT].map((text) =>
  createHash('sha256').update(text).digest('base64'),
);

/** Okta's sign-in page: plain HTML, for people and for tests that post its forms. */
export function signInPage(view: SignInPageView): Reply {
  const { action, problem, step } = view;
  const form = (fields: string): string =>
    `<form method="post" action="${escapeHtml(action)}">${fields}</form>`;
  const body = `${problem === undefined ? '' : `<p class="problem" role="alert">${escapeHtml(problem)}</p>`}
${stepOf(step, form)}
${form('<button name="cancel" value="yes">Cancel</button>')}`;
  return htmlReply(200, 'Sign in', body, `'self' ${new URL(view.redirectUri).origin}`);
}

/** A page without a form, for what cannot go on. */
export function problemPage(problem: string, wanted: 'sign in' | 'sign out' = 'sign in'): Reply {
  return htmlReply(400, `You cannot ${wanted}`, `<p role="alert">${escapeHtml(problem)}</p>`, "'none'");
}

export const SIGNED_OUT_PAGE: Reply = htmlReply(200, 'You have signed out', '', "'none'");

/** A page that posts these fields to the app at once (`response_mode=form_post`). */
export function formPostPage(redirectUri: string, fields: Readonly<Record<string, string>>): Reply {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  const body = `<form method="post" action="${escapeHtml(redirectUri)}">${inputs.join('')}
<button class="primary">Continue</button></form>
<script>${SUBMIT}</script>`;
  return htmlReply(200, 'Back to the app', body, new URL(redirectUri).origin);
}

function stepOf(step: SignInPageView['step'], form: (fields: string) => string): string {
  switch (step.kind) {
    case 'username': {
      const buttons = step.people.map(
        ({ name, login }) =>
          `<button class="person" name="username" value="${escapeHtml(login)}">${escapeHtml(name)} <span class="quiet">${escapeHtml(login)}</span></button>`,
      );
      const typed = form(`<label>Username <input name="username" autocomplete="username" required></label>
<button class="primary">Next</button>`);
      return buttons.length === 0 ? typed : `${form(buttons.join('\n'))}\n${typed}`;
    }
    case 'method': {
      const { sms, call } = step.phoneEndings;
      return `<p>How do you want to get your code?</p>
${form(`${sms === undefined ? '' : `<button name="by" value="sms">Text message to the number ending in ${escapeHtml(sms)}</button>`}
${call === undefined ? '' : `<button name="by" value="call">Voice call to the number ending in ${escapeHtml(call)}</button>`}`)}`;
    }
    case 'code':
      return `<p role="status">${step.by === 'sms' ? 'A message with your code is on its way to' : 'You are being called at'} the number ending in ${escapeHtml(step.ending)}.</p>
${form(`<label>Code <input name="code" inputmode="numeric" autocomplete="one-time-code" required autofocus></label>
<button class="primary">Verify</button>`)}
${form('<button name="again" value="yes">Get another code</button>')}`;
  }
}

function htmlReply(status: number, title: string, body: string, formAction: string): Reply {
  const html = htmlDocument(
    `${title} – emulated Okta`,
    `<link rel="icon" href="data:,">\n<style>${STYLE}</style>`,
    `<main>
<h1>${title}</h1>
${body}
<p class="quiet">This Okta is emulated. It asks for no password.</p>
</main>`,
  );
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; script-src 'sha256-${SUBMIT_HASH}'; img-src data:; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`,
      'referrer-policy': 'no-referrer',
    },
    body: html,
  };
}
