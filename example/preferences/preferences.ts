import express, { type ErrorRequestHandler, type Router } from 'express';
import {
  OktaApiError,
  oktaClient,
  type InboundOptions,
  type InboundReply,
  type Logger,
  type OktaCredential,
  type OktaTelephonyHookOptions,
  type TelephonyHook,
} from 'okta-telephony-hook';
import { CONSENT_VERSION } from './consent.js';
import { checkCsrfToken, fieldsOf, readForm, requireUser, userOf } from '../login.js';
import { problemPage } from '../pages.js';
import { PREFERENCES_PATH, PREFERENCES_POLICY, preferencePage, WAITING_PATH } from './pages.js';
import { endingOf, PairingWords, whatsAppNumberOf, type WaitingWord } from './words.js';

export interface PreferencesOptions {
  /**
   * Writes the opt-in attribute. It must not be the hook's credential, which needs to read only.
   * A service app has the scopes `okta.users.read` and `okta.users.manage`.
   */
  readonly credential: OktaCredential;
  /** The WhatsApp sender or sandbox to which users send their words, E.164. Its messages must reach the hook. */
  readonly whatsAppNumber: string;
  /** The page's link, by which the user sends a text. Default: `https://wa.me/…`, which opens WhatsApp. */
  readonly linkFor?: ((text: string) => string) | undefined;
  /** The words with which a phone joins Twilio's sandbox. Default: none, the number is a sender of the account. */
  readonly sandboxWords?: string | undefined;
  /** The limit of one call to Okta, milliseconds. Default: 1000, so that two calls fit into what the hook gives `onMessage`. */
  readonly timeoutMs?: number | undefined;
}

export interface Preferences {
  /** The page, behind the login. */
  readonly router: Router;
  /** Receives the words that users send. */
  readonly onMessage: NonNullable<InboundOptions['onMessage']>;
}

/**
 * The page on which a signed-in user sees and changes how codes come. To turn WhatsApp on, the user sends a word from the own
 * WhatsApp account, so that nobody turns it on for another person's number. To turn it off needs no proof.
 *
 * @throws ConfigurationError for a credential that cannot work.
 */
export function createPreferences(
  { credential, whatsAppNumber, timeoutMs = 1_000, sandboxWords, ...options }: PreferencesOptions,
  {
    hook: { optInAttribute = 'whatsAppOptIn', clock = Date.now },
    readSuppressions,
    logger,
  }: {
    readonly hook: OktaTelephonyHookOptions;
    readonly readSuppressions: TelephonyHook['suppressions'];
    readonly logger: Pick<Logger, 'info' | 'error'>;
  },
): Preferences {
  const linkFor =
    options.linkFor ??
    ((text) => `https://wa.me/${whatsAppNumber.slice(1)}?text=${encodeURIComponent(text)}`);
  const users = oktaClient({ credential, timeoutMs });
  const words = new PairingWords(clock);
  const inTurn = createTurns();

  const readPreference = async (userId: string) => {
    const profile = await users.readUser(userId);
    const isByWhatsApp = profile[optInAttribute] === true;
    return { isByWhatsApp, phone: whatsAppNumberOf(profile['mobilePhone']) };
  };

  /** The users whose last record says `given`. */
  const hasAgreed = new Set<string>();
  /** A record is a line of the log: write yours to an audit store. It never has a number, a name or a login. */
  const recordConsent = (userId: string, consent: 'given' | 'withdrawn', details: object): void => {
    if (consent === 'given') hasAgreed.add(userId);
    else hasAgreed.delete(userId);
    logger.info('A user chose how codes come', {
      userId,
      consent,
      ...details,
      at: new Date(clock()).toISOString(),
    });
  };

  const turnOff = async (userId: string): Promise<void> => {
    // The turn before may have issued a word.
    words.cancel(userId);
    // If Okta cannot be read, the user has withdrawn consent nevertheless.
    const preference = await readPreference(userId).catch(() => undefined);
    // The answer to an earlier write may be lost: Okta may have it although the profile did not show it.
    if (preference?.isByWhatsApp === false && !hasAgreed.has(userId)) return;
    recordConsent(userId, 'withdrawn', { by: 'page' });
    await users.updateUser(userId, { [optInAttribute]: false });
  };

  /** Issues a word to a user who has agreed to the text, if the user has a number to send it from. */
  const offerWord = async (userId: string, textVersion: string): Promise<void> => {
    const { isByWhatsApp, phone } = await readPreference(userId);
    if (!isByWhatsApp && phone !== undefined) words.issue({ userId, phone, textVersion });
  };

  const turnOn = async (waiting: WaitingWord): Promise<InboundReply | undefined> => {
    const { userId, phone, textVersion } = waiting;
    // New consent ends an earlier STOP, even if Okta does not have it yet.
    let isStart = false;
    try {
      const { phone: phoneNow } = await readPreference(userId);
      // The user may have cancelled or used the word meanwhile, or have another number at Okta now.
      if (!words.isWaiting(waiting) || phoneNow !== phone) return undefined;
      // Recorded before the write, whose answer may be lost: nobody gets codes by WhatsApp without a record of consent.
      recordConsent(userId, 'given', { by: 'word', numberEnding: endingOf(phone), textVersion });
      isStart = true;
      await users.updateUser(userId, { [optInAttribute]: true });
    } catch (error) {
      if (!(error instanceof OktaApiError)) throw error;
      const { message: reason, remedy } = error;
      logger.error('WhatsApp could not be turned on', { userId, reason, remedy });
      if (!words.isWaiting(waiting)) return undefined;
      return { text: 'That could not be saved just now. Please send the word again in a minute.', isStart };
    }
    // If the user has cancelled the word meanwhile, the next turn turns WhatsApp off again.
    if (!words.isWaiting(waiting)) return undefined;
    words.cancel(userId);
    const text = 'WhatsApp is on: your codes come here within a minute. To end that, send STOP.';
    return { text, isStart };
  };

  const router = express.Router();
  router.use(PREFERENCES_PATH, requireUser);
  router.get(PREFERENCES_PATH, async (req, res) => {
    const { id: userId, csrfToken } = userOf(req);
    const preference = await readPreference(userId);
    const word = words.waitingFor(userId);
    // A word for an earlier number of the user cannot be used.
    const waiting = word?.phone === preference.phone ? word : undefined;
    const suppressions = preference.phone === undefined ? [] : await readSuppressions(preference.phone);
    const view = { ...preference, suppressions, csrfToken, waiting, whatsAppNumber, sandboxWords, linkFor };
    res.set('Content-Security-Policy', PREFERENCES_POLICY).send(preferencePage(view));
  });
  router.get(WAITING_PATH, (req, res) => {
    res.type('text').send(words.waitingFor(userOf(req).id) === undefined ? 'no' : 'yes');
  });
  router.post(PREFERENCES_PATH, readForm, checkCsrfToken, async (req, res) => {
    const userId = userOf(req).id;
    const { channel, textVersion } = fieldsOf(req);
    if (channel === 'sms') {
      // Cancels at once a word that has just arrived. The rest waits for its turn.
      words.cancel(userId);
      await inTurn(userId, () => turnOff(userId));
    } else if (textVersion !== CONSENT_VERSION) {
      // The text has changed since the user opened the page.
      res.status(409).send(problemPage('The text has changed', 'Please open the page again and read it.'));
      return;
    } else {
      await inTurn(userId, () => offerWord(userId, textVersion));
    }
    res.redirect(303, PREFERENCES_PATH);
  });
  const answerOktaFailure: ErrorRequestHandler = (error: unknown, req, res, next) => {
    if (!(error instanceof OktaApiError) || res.headersSent) {
      next(error);
      return;
    }
    const { message: reason, remedy } = error;
    const userId = userOf(req).id;
    logger.error('The preference page could not use Okta', { userId, method: req.method, reason, remedy });
    const sentence =
      'Okta does not answer. If you have made a choice, it may not be saved. Please open the page again in a minute, and check what it says.';
    res.status(503).send(problemPage('Not now', sentence));
  };
  router.use(PREFERENCES_PATH, answerOktaFailure);

  return {
    router,
    onMessage: async ({ channel, from, text }) => {
      // An SMS does not prove that the number has WhatsApp.
      if (channel !== 'whatsapp' || from === undefined) return undefined;
      const waiting = words.find(text, from);
      return waiting && inTurn(waiting.userId, () => turnOn(waiting));
    },
  };
}

/**
 * Runs the work of one user in the order of the calls. The page and the words write the same attribute, and the latest choice
 * must win.
 */
function createTurns(): <T>(userId: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (userId, work) => {
    const turn = (last.get(userId) ?? Promise.resolve()).then(work);
    const ended = turn
      // The caller gets the failure. The next work runs nevertheless.
      .catch(() => undefined)
      .then(() => {
        if (last.get(userId) === ended) last.delete(userId);
      });
    last.set(userId, ended);
    return turn;
  };
}
