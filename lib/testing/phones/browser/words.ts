import type { EnteredView, HookAnswerView, PhoneItem, SendAttempt } from '../api.js';

/** What the page says, in sentences and formats. */

export const CHANNELS = { whatsapp: 'WhatsApp', sms: 'SMS', voice: 'Call' } as const;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const exactClock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const languages = new Intl.DisplayNames(undefined, { type: 'language', fallback: 'code' });

export const timeOf = (at: number): string => clock.format(at);
export const exactTimeOf = (at: number): string => exactClock.format(at);

/** A language by its name; what is none as it stands. */
export function languageName(tag: string): string {
  try {
    return languages.of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** What Okta does with the hook's answer. */
export function reactionOf({ action, reason, errorSummary }: HookAnswerView): string {
  switch (action) {
    case 'sent':
      return 'Okta takes the code as sent.';
    case 'pending':
      return 'Okta takes the code as sent, though nobody has confirmed it.';
    case 'failover':
      return `Okta goes on without the hook: it would send the code by a provider of its own (${reason}). None is emulated.`;
    case 'error':
      return `Okta shows “${errorSummary ?? ''}”, and would send the code by a provider of its own. None is emulated.`;
  }
}

/** What became of a typed code. */
export function outcomeOf({ problem, isTold }: EnteredView, firstName: string): string {
  switch (problem) {
    case 'wrong':
      return 'Wrong code. Try again.';
    case 'expired':
      return 'Expired: that code came too late. Ask for a new one.';
    case 'not-awaited':
      return 'Okta waits for no code: none was asked for, or it was used.';
    case undefined: {
      const signedIn = `${firstName} is signed in.`;
      if (isTold === undefined) return signedIn;
      return isTold
        ? `${signedIn} Okta's event hook has told the gateway that the code was used.`
        : `${signedIn} Okta's event hook did not reach the gateway.`;
    }
  }
}

const ATTEMPTS: Readonly<Record<string, string>> = {
  queued: 'accepted',
  accepted: 'accepted',
  'in-progress': 'answered',
  completed: 'completed',
};

/** How far a message or call has come. */
export function attemptOf({ status, errorCode }: SendAttempt): string {
  const word = ATTEMPTS[status] ?? status;
  return errorCode === undefined ? word : `${word}, code ${errorCode}`;
}

/** The same for an item on a phone; `undefined` where nothing is to be said. */
export function receiptOf({ status, isOwn }: PhoneItem): string | undefined {
  if (isOwn || status === undefined) return undefined;
  if (status === 'read') return 'Read';
  return status === 'delivered' ? 'Delivered' : 'Sent';
}

/** Of a call. */
export function callStateOf({ status }: PhoneItem): 'Ringing…' | 'Speaking…' | 'Call ended' {
  if (status === 'queued' || status === 'ringing') return 'Ringing…';
  return status === 'in-progress' ? 'Speaking…' : 'Call ended';
}
