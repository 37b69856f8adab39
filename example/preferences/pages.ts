import { CONSENT_TEXT, CONSENT_VERSION, type ConsentRecord } from './consent.js';
import { csrfField, markup, page, type Html } from '../pages.js';
import { endingOf } from './whatsapp-number.js';

/** What the preference page shows. */
export interface PreferenceView {
  readonly csrfToken: string;
  /** By WhatsApp; by SMS; by SMS while a word is awaited. */
  readonly state:
    | { readonly kind: 'whatsapp' }
    | { readonly kind: 'sms'; readonly hasRunOut: boolean }
    | {
        readonly kind: 'waiting';
        readonly word: string;
        /** Milliseconds that it is still good. */
        readonly leftMs: number;
        readonly whatsAppNumber: string;
        readonly link: string;
      };
  /** The number of the Okta profile; `undefined` where there is none to send to. */
  readonly phone: string | undefined;
  readonly records: readonly ConsentRecord[];
}

export const PREFERENCES_PATH = '/preferences';
/** The page while a word is awaited. It says if none came. */
export const WAITING_PATH = `${PREFERENCES_PATH}?waiting`;
const LOOK_AGAIN_SECONDS = 10;

export function preferencePage(view: PreferenceView): string {
  const isWaiting = view.state.kind === 'waiting';
  return page(
    'How your sign-in codes come',
    markup`<p><a href="/account">Account</a></p>
${stateOf(view)}
<h2>What you have agreed to</h2>
${recordsOf(view.records)}`,
    isWaiting ? { seconds: LOOK_AGAIN_SECONDS, path: WAITING_PATH } : undefined,
  );
}

/** Shown before the button by which the user agrees. */
const CONSENT = markup`<h2>What you agree to with WhatsApp</h2>
<div id="consent">
${joined(CONSENT_TEXT.map((paragraph) => markup`<p>${paragraph}</p>`))}
</div>`;

function stateOf(view: PreferenceView): Html {
  const { state, phone, csrfToken } = view;
  const ending = phone === undefined ? '' : endingOf(phone);
  switch (state.kind) {
    case 'whatsapp':
      return markup`<p role="status">Your codes come by <strong>WhatsApp</strong>. A change may take a minute to take effect.</p>
${switchTo('sms', csrfToken, 'Get codes by SMS again')}
${CONSENT}`;
    case 'waiting':
      return markup`<h2>Send this word by WhatsApp</h2>
<p>From the phone whose number ends in ${ending}, to ${state.whatsAppNumber}:</p>
<p class="word">${state.word}</p>
<p><a href="${state.link}">Open WhatsApp with the word</a></p>
<p>If your WhatsApp account has a username, WhatsApp may hide your number. Then send the word as a reply to a message that you have from ${state.whatsAppNumber}. If you have none, ask your help desk.</p>
<p role="status">The word has not come yet. It is good once, for ${minutes(state.leftMs)}. Until then your codes come by SMS.</p>
<p>This page looks again every ${String(LOOK_AGAIN_SECONDS)} seconds. <a href="${WAITING_PATH}">Look now</a></p>
${switchTo('sms', csrfToken, 'Cancel')}
${CONSENT}`;
    case 'sms': {
      const ranOut = markup`<p class="problem" role="alert">The word ran out, or was not sent from the number of your profile. Ask for another one.</p>`;
      const how = markup`<p role="status">Your codes come by <strong>SMS</strong>. A change may take a minute to take effect.</p>`;
      if (phone === undefined) {
        return markup`${how}
<p class="notice">Your Okta profile has no mobile number with a country code, such as +44: WhatsApp cannot be turned on.</p>
${CONSENT}`;
      }
      return markup`${state.hasRunOut ? ranOut : ''}
${how}
<p>You can get them by WhatsApp at the number that ends in ${ending}. You will be shown a word to send from there.</p>
${CONSENT}
${switchTo('whatsapp', csrfToken, 'Agree, and get codes by WhatsApp')}`;
    }
  }
}

function switchTo(channel: 'sms' | 'whatsapp', csrfToken: string, label: string): Html {
  const consent = markup`<input type="hidden" name="textVersion" value="${CONSENT_VERSION}">`;
  return markup`<form method="post" action="${PREFERENCES_PATH}">
${csrfField(csrfToken)}
${channel === 'whatsapp' ? consent : ''}
<button name="channel" value="${channel}"${channel === 'whatsapp' ? markup` aria-describedby="consent"` : ''}>${label}</button>
</form>`;
}

function recordsOf(records: readonly ConsentRecord[]): Html {
  if (records.length === 0) return markup`<p>Nothing on this page so far.</p>`;
  return markup`<ul>
${joined(records.map((record) => markup`<li>${sentenceOf(record)}</li>`))}
</ul>`;
}

function sentenceOf({ at, consent, how, textVersion }: ConsentRecord): string {
  const time = `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const way =
    how.by === 'word'
      ? `by a word from the WhatsApp number that ends in ${how.numberEnding}`
      : 'on this page';
  return `${time}: consent ${consent} ${way} (text ${textVersion})`;
}

function minutes(ms: number): string {
  const count = Math.ceil(ms / 60_000);
  return count === 1 ? 'one minute more' : `${String(count)} minutes more`;
}

function joined(parts: readonly Html[]): Html {
  return { html: parts.map(({ html }) => html).join('\n') };
}
