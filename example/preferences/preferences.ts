import express, { type ErrorRequestHandler, type Router } from 'express';
import {
  OktaApiError,
  oktaClient,
  type InboundOptions,
  type InboundReply,
  type Logger,
  type OktaCredential,
  type OktaTelephonyHookOptions,
} from 'okta-telephony-hook';
import { CONSENT_VERSION, type ConsentRecord } from './consent.js';
import { checkCsrfToken, fieldsOf, readForm, requireUser, userOf } from '../login.js';
import { problemPage } from '../pages.js';
import { PREFERENCES_PATH, preferencePage, WAITING_PATH } from './pages.js';
import { endingOf, PairingWords, whatsAppNumberOf, type WaitingWord } from './words.js';

export interface PreferencesOptions {
  /**
   * Writes the opt-in attribute. It must not be the hook's credential, which needs to read only.
   * A service app has the scopes `okta.users.read` and `okta.users.manage`.
   */
  readonly credential: OktaCredential;
  /** The WhatsApp sender or sandbox to which users send their words, E.164. Its messages must reach the hook. */
  readonly whatsAppNumber: string;
  /** The page's link, by which the user sends a word. Default: `https://wa.me/…`, which opens WhatsApp. */
  readonly linkFor?: ((word: string) => string) | undefined;
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
  { credential, whatsAppNumber, timeoutMs = 1_000, ...options }: PreferencesOptions,
  {
    hook: { optInAttribute = 'whatsAppOptIn', clock = Date.now },
    logger,
  }: { readonly hook: OktaTelephonyHookOptions; readonly logger: Pick<Logger, 'info' | 'error'> },
): Preferences {
  const linkFor = options.linkFor ?? ((word) => `https://wa.me/${whatsAppNumber.slice(1)}?text=${word}`);
  const users = oktaClient({ credential, timeoutMs });
  const words = new PairingWords(clock);
  const inTurn = createTurns();

  const readPreference = async (userId: string) => {
    const profile = await users.readUser(userId);
    const isByWhatsApp = profile[optInAttribute] === true;
    return { isByWhatsApp, phone: whatsAppNumberOf(profile['mobilePhone']) };
  };

  // In memory for the page, and each is a line of the log. Write yours to an audit store.
  const records: ConsentRecord[] = [];
  const recordsOf = (userId: string): readonly ConsentRecord[] =>
    records.filter((record) => record.userId === userId).reverse();
  const addRecord = (record: Omit<ConsentRecord, 'at'>): void => {
    const whole = { ...record, at: new Date(clock()).toISOString() };
    records.push(whole);
    logger.info('A user chose how codes come', whole);
  };

  const turnOff = async (userId: string): Promise<void> => {
    // The turn before may have issued a word.
    words.cancel(userId);
    // If Okta cannot be read, the user has withdrawn consent nevertheless.
    const preference = await readPreference(userId).catch(() => undefined);
    // An earlier write may still reach the profile, although its answer was lost.
    const isGiven = recordsOf(userId)[0]?.consent === 'given';
    if (preference?.isByWhatsApp === false && !isGiven) return;
    addRecord({ userId, consent: 'withdrawn', textVersion: CONSENT_VERSION, how: { by: 'page' } });
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
      const how = { by: 'word', numberEnding: endingOf(phone) } as const;
      addRecord({ userId, consent: 'given', textVersion, how });
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
    const link = linkFor(waiting?.word ?? '');
    const view = { ...preference, csrfToken, waiting, whatsAppNumber, link, records: recordsOf(userId) };
    res.send(preferencePage({ ...view, hasExpired: 'waiting' in req.query }));
  });
  router.post(PREFERENCES_PATH, readForm, checkCsrfToken, async (req, res) => {
    const userId = userOf(req).id;
    const { channel, textVersion } = fieldsOf(req);
    if (channel === 'sms') {
      // Cancels at once a word that has just arrived. The rest waits for its turn.
      words.cancel(userId);
      await inTurn(userId, () => turnOff(userId));
      res.redirect(303, PREFERENCES_PATH);
    } else if (channel !== 'whatsapp') {
      res.status(400).send(problemPage('That did not work', 'There is no such channel.'));
    } else if (textVersion !== CONSENT_VERSION) {
      // The text has changed since the user opened the page.
      res.status(409).send(problemPage('The text has changed', 'Please open the page again and read it.'));
    } else {
      await inTurn(userId, () => offerWord(userId, textVersion));
      res.redirect(303, words.waitingFor(userId) ? WAITING_PATH : PREFERENCES_PATH);
    }
  });
  const answerOktaFailure: ErrorRequestHandler = (error: unknown, req, res, next) => {
    if (!(error instanceof OktaApiError) || res.headersSent) {
      next(error);
      return;
    }
    const { message: reason, remedy } = error;
    const isChoice = req.method === 'POST';
    logger.error('The preference page could not use Okta', {
      userId: userOf(req).id,
      isChoice,
      reason,
      remedy,
    });
    const sentence = isChoice
      ? 'Your choice may not be saved, because Okta does not answer. Please open the page again in a minute, check what it says, and choose again.'
      : 'Okta does not answer. Please open the page again in a minute.';
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
