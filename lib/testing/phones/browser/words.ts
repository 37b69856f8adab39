import type { EnteredView, HookAnswerView, PhoneItem, SendAttempt, SuppressionView } from '../api.js';

export const CHANNELS = { whatsapp: 'WhatsApp', rcs: 'RCS', sms: 'SMS', voice: 'Call' } as const;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const exactClock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const languages = new Intl.DisplayNames(undefined, { type: 'language', fallback: 'code' });

const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export const timeOf = (at: number): string => clock.format(at);
export const exactTimeOf = (at: number): string => exactClock.format(at);

/** The name of a language, or the tag if it has none. */
export function languageName(tag: string): string {
  try {
    return languages.of(tag) ?? tag;
  } catch {
    return tag;
  }
}

export function reactionOf({ action, reason, errorSummary }: HookAnswerView): string {
  switch (action) {
    case 'sent':
      return 'Okta takes the code as sent.';
    case 'pending':
      return 'Okta takes the code as sent, without a confirmation.';
    case 'failover':
      return `Okta continues without the hook (${reason}). It would send the code by its own provider, which is not emulated.`;
    case 'error':
      return `Okta shows “${errorSummary ?? ''}” and would send the code by its own provider, which is not emulated.`;
  }
}

export function outcomeOf({ problem, isReported }: EnteredView, firstName: string): string {
  switch (problem) {
    case 'wrong':
      return 'Wrong code. Try again.';
    case 'expired':
      return 'Expired. Request a new code.';
    case 'not-awaited':
      return 'Okta expects no code: none was requested, or it was used.';
    case undefined: {
      const signedIn = `${firstName} is signed in.`;
      if (isReported === undefined) return signedIn;
      return isReported
        ? `${signedIn} Okta's event hook reported the used code to the gateway.`
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

export function attemptOf({ status, errorCode }: SendAttempt): string {
  const word = ATTEMPTS[status] ?? status;
  return errorCode === undefined ? word : `${word}, code ${errorCode}`;
}

/** Why a channel gets no codes, and for how long. */
export function suppressionOf({ channel, reason, until }: SuppressionView): string {
  const name = channel === 'whatsapp' || channel === 'sms' ? CHANNELS[channel] : channel;
  const why = reason === 'stopped' ? 'stopped' : 'did not reach the phone';
  return `${name} ${why}: no codes there until ${date.format(until)}.`;
}

/** The receipt of a message on a phone; `undefined` if it has none. */
export function receiptOf({ status, isOwn }: PhoneItem): string | undefined {
  if (isOwn || status === undefined) return undefined;
  if (status === 'read') return 'Read';
  return status === 'delivered' ? 'Delivered' : 'Sent';
}

export function callStateOf({ status }: PhoneItem): 'Ringing…' | 'Speaking…' | 'Call ended' {
  if (status === 'queued' || status === 'ringing') return 'Ringing…';
  return status === 'in-progress' ? 'Speaking…' : 'Call ended';
}
