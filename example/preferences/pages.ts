import { CONSENT_TEXT, CONSENT_VERSION } from './consent.js';
import { csrfField, markup, page, type Html } from '../pages.js';
import { endingOf, type WaitingWord } from './words.js';

/** What the preference page shows. */
export interface PreferenceView {
  readonly csrfToken: string;
  readonly isByWhatsApp: boolean;
  /** The number of the Okta profile, if WhatsApp can use it. */
  readonly phone: string | undefined;
  /** The word that the user must send. */
  readonly waiting: WaitingWord | undefined;
  /** The number that the user sends the word to, and a link that opens WhatsApp with both. */
  readonly whatsAppNumber: string;
  readonly link: string;
}

export const PREFERENCES_PATH = '/preferences';

export function preferencePage(view: PreferenceView): string {
  const back = markup`<p><a href="/account">Account</a></p>`;
  return page('How your sign-in codes come', markup`${back}\n${stateOf(view)}`);
}

/** The text comes before the button by which the user agrees to it. */
const CONSENT = markup`<h2>What you agree to with WhatsApp</h2>
${{ html: CONSENT_TEXT.map((paragraph) => markup`<p>${paragraph}</p>`.html).join('\n') }}`;

function stateOf(view: PreferenceView): Html {
  const { isByWhatsApp, waiting, phone, csrfToken, whatsAppNumber } = view;
  if (isByWhatsApp) {
    return markup`<p role="status">Your codes come by <strong>WhatsApp</strong>. A change may take a minute.</p>
${CONSENT}
${switchTo('sms', csrfToken, 'Get codes by SMS again')}`;
  }
  if (waiting !== undefined) {
    return markup`<h2>Send this word by WhatsApp</h2>
<p>From the phone whose number ends in ${endingOf(waiting.phone)}, to ${whatsAppNumber}:</p>
<p class="word">${waiting.word}</p>
<p><a href="${view.link}">Open WhatsApp with the word</a></p>
<p>If your WhatsApp account has a username, WhatsApp may hide your number. Then send the word as a reply to a message that you have from ${whatsAppNumber}. If you have none, ask your help desk.</p>
<p role="status">The word has not arrived yet. You can use it once, for ten minutes. Until it arrives, your codes come by SMS.</p>
<p>After you have sent it, <a href="${PREFERENCES_PATH}">look again</a>.</p>
${switchTo('sms', csrfToken, 'Cancel')}
${CONSENT}`;
  }
  const status = markup`<p role="status">Your codes come by <strong>SMS</strong>. A change may take a minute.</p>`;
  if (phone === undefined) {
    return markup`${status}
<p class="notice">Your Okta profile has no mobile number with a country code, such as +44: WhatsApp cannot be turned on.</p>
${CONSENT}`;
  }
  return markup`${status}
<p>You can get them by WhatsApp at the number that ends in ${endingOf(phone)}. This page will show you a word to send from there.</p>
${CONSENT}
${switchTo('whatsapp', csrfToken, 'Agree, and get codes by WhatsApp')}`;
}

function switchTo(channel: 'sms' | 'whatsapp', csrfToken: string, label: string): Html {
  return markup`<form method="post" action="${PREFERENCES_PATH}">
${csrfField(csrfToken)}
<input type="hidden" name="textVersion" value="${CONSENT_VERSION}">
<button name="channel" value="${channel}">${label}</button>
</form>`;
}
