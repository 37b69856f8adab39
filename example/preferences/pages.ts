import type { TelephonyHook } from 'okta-telephony-hook';
import { CONSENT_TEXT, CONSENT_VERSION } from './consent.js';
import { csrfField, markup, page, policyWith, type Html } from '../pages.js';
import { endingOf, type WaitingWord } from './words.js';

/** What the preference page shows. */
export interface PreferenceView {
  readonly csrfToken: string;
  readonly isByWhatsApp: boolean;
  /** The number of the Okta profile, if WhatsApp can use it. */
  readonly phone: string | undefined;
  /** The channels that get no codes for this number. */
  readonly suppressions: readonly Suppression[];
  /** The word that the user must send. */
  readonly waiting: WaitingWord | undefined;
  /** The number that the user sends the word to. */
  readonly whatsAppNumber: string;
  /** The words with which a phone joins Twilio's sandbox; `undefined` for another sender. */
  readonly sandboxWords: string | undefined;
  /** A link that opens WhatsApp with the number and a text. */
  readonly linkFor: (text: string) => string;
}

type Suppression = Awaited<ReturnType<TelephonyHook['suppressions']>>[number];

export const PREFERENCES_PATH = '/preferences';
/** Answers whether the user's word still waits. */
export const WAITING_PATH = `${PREFERENCES_PATH}/waiting`;

/** Loads the page again once its word no longer waits: it has arrived, or it has expired. */
const WAIT = `setInterval(async () => {
  const answer = await fetch('${WAITING_PATH}', { redirect: 'manual' }).catch(() => undefined);
  if (answer?.ok && (await answer.text()) === 'no') location.reload();
}, 3000);`;
/** The policy of the page, with its script. */
export const PREFERENCES_POLICY = policyWith(WAIT, "connect-src 'self'");

export function preferencePage(view: PreferenceView): string {
  const back = markup`<p><a href="/account">Account</a></p>`;
  return page('How your sign-in codes come', markup`${back}\n${stateOf(view)}`);
}

/** The text comes before the button by which the user agrees to it. */
const CONSENT = markup`<h2>What you agree to with WhatsApp</h2>
${{ html: CONSENT_TEXT.map((paragraph) => markup`<p>${paragraph}</p>`.html).join('\n') }}`;

function stateOf(view: PreferenceView): Html {
  const { isByWhatsApp, waiting, phone, csrfToken, whatsAppNumber, sandboxWords } = view;
  const isSuppressed = (name: string): boolean => view.suppressions.some(({ channel }) => channel === name);
  const notices = view.suppressions
    .filter(({ channel }) => channel === 'sms' || (channel === 'whatsapp' && isByWhatsApp))
    .map((suppression) => noticeOf(suppression, view).html);
  const notes: Html = { html: notices.join('\n') };
  const bySms = isSuppressed('sms')
    ? markup`No code reaches you by text now.`
    : markup`Your codes come by <strong>SMS</strong>.`;
  const byWhatsApp = markup`Your codes come by <strong>WhatsApp</strong>.`;
  const now = isByWhatsApp && !isSuppressed('whatsapp') ? byWhatsApp : bySms;
  const status = markup`<p role="status">${now} A change may take a minute.</p>
${notes}`;
  if (isByWhatsApp) {
    return markup`${status}
${CONSENT}
${switchTo('sms', csrfToken, isSuppressed('whatsapp') ? 'Turn WhatsApp off' : 'Get codes by SMS only')}`;
  }
  if (waiting !== undefined) {
    return markup`<h2>Send this word by WhatsApp</h2>
<p>From the phone whose number ends in ${endingOf(waiting.phone)}, to ${whatsAppNumber}:</p>
<p class="word">${waiting.word}</p>
<p><a href="${view.linkFor(waiting.word)}">Open WhatsApp with the word</a></p>
${sandboxWords === undefined ? '' : markup`<p>This number is Twilio's sandbox: a phone that has not joined it sends <strong>${sandboxWords}</strong> first.</p>`}
<p>If your WhatsApp account has a username, WhatsApp may hide your number. Then send the word as a reply to a message that you have from ${whatsAppNumber}. If you have none, ask your help desk.</p>
<p role="status">The word has not arrived yet. You can use it once, for ten minutes. ${bySms}</p>
${notes}
<p>This page looks again every few seconds. You can also <a href="${PREFERENCES_PATH}">look again</a> yourself.</p>
<script>${{ html: WAIT }}</script>
${switchTo('sms', csrfToken, 'Cancel')}
${CONSENT}`;
  }
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

/** The page does not know the user's time zone. */
const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });

/** Why a channel gets no codes, and how the user undoes that. */
function noticeOf(
  { channel, reason, until }: Suppression,
  { whatsAppNumber, sandboxWords, linkFor, phone = '' }: PreferenceView,
): Html {
  const isStopped = reason === 'stopped';
  // STOP also leaves the sandbox, which then passes no START on.
  const texts = isStopped && sandboxWords !== undefined ? [sandboxWords, 'START'] : ['START'];
  const links = texts.map((text) => markup`<a href="${linkFor(text)}">${text}</a>`.html).join(', then ');
  const [name, undo] =
    channel === 'whatsapp'
      ? [
          'WhatsApp',
          markup`send ${{ html: links }} to ${whatsAppNumber} from the phone whose number ends in ${endingOf(phone)}`,
        ]
      : ['SMS', 'send START by SMS to the number that they came from'];
  const why = isStopped ? 'You have stopped our messages' : 'Our messages did not reach your phone';
  return markup`<p class="notice">${why} by ${name}, so no code goes there until ${DATE.format(until)} UTC. To undo that now, ${undo}.</p>`;
}

function switchTo(channel: 'sms' | 'whatsapp', csrfToken: string, label: string): Html {
  return markup`<form method="post" action="${PREFERENCES_PATH}">
${csrfField(csrfToken)}
<input type="hidden" name="textVersion" value="${CONSENT_VERSION}">
<button name="channel" value="${channel}">${label}</button>
</form>`;
}
