import express, { type ErrorRequestHandler, type Request, type Router } from 'express';
import {
  ConfigurationError,
  OktaApiError,
  type InboundOptions,
  type InboundReply,
  type Logger,
  type OktaCredential,
  type OktaTelephonyHookOptions,
} from 'okta-telephony-hook';
import { CONSENT_VERSION, ConsentRecords } from './consent.js';
import { checkCsrfToken, fieldsOf, readForm, requireUser, userOf } from '../login.js';
import { problemPage } from '../pages.js';
import { PREFERENCES_PATH, preferencePage, WAITING_PATH, type PreferenceView } from './pages.js';
import { createTurns } from './turns.js';
import { createCodePreferences, type CodePreference } from './users.js';
import { endingOf } from './whatsapp-number.js';
import { isLikeAWord, PairingWords, type WaitingWord } from './words.js';

export interface PreferencesOptions {
  /**
   * Writes the opt-in attribute. It must be another one than the hook's, which the internet reaches, and which needs to read only.
   * A service app has the scopes `okta.users.read` and `okta.users.manage`.
   */
  readonly credential: OktaCredential;
  /** The page's link, by which the user sends a word. Default: `https://wa.me/…`, which opens WhatsApp. */
  readonly linkFor?: ((word: string) => string) | undefined;
  /** The limit of a call that reads or writes a user, milliseconds. Default: 1000. */
  readonly timeoutMs?: number | undefined;
}

export interface Preferences {
  /** The page, behind the login. */
  readonly router: Router;
  /** Takes the words that users send. */
  readonly onMessage: NonNullable<InboundOptions['onMessage']>;
}

/**
 * The page on which a signed-in user sees and changes how codes come. To turn WhatsApp on, the user sends a word from the
 * WhatsApp account, so that nobody turns it on for a number of somebody else. To turn it off needs no proof.
 *
 * @throws ConfigurationError if no word could come.
 */
export function createPreferences(
  options: PreferencesOptions,
  {
    hook,
    logger,
  }: { readonly hook: OktaTelephonyHookOptions; readonly logger: Pick<Logger, 'info' | 'error'> },
): Preferences {
  const { optInAttribute = 'whatsAppOptIn', clock = Date.now } = hook;
  const whatsAppNumber = requireInbound(hook);
  const linkFor = options.linkFor ?? ((word) => `https://wa.me/${whatsAppNumber.slice(1)}?text=${word}`);
  const users = createCodePreferences({ ...options, optInAttribute });
  const words = new PairingWords(clock);
  const records = new ConsentRecords(logger);
  // The page and the words write the same attribute. Each waits for the one before, so that the latest choice counts.
  const inTurn = createTurns();

  const turnOff = async (userId: string): Promise<void> => {
    // A word may have been issued in the turn before.
    words.cancel(userId);
    const recordWithdrawal = (): void => {
      const how = { by: 'page' } as const;
      records.append({ userId, consent: 'withdrawn', textVersion: CONSENT_VERSION, how, at: clock() });
    };
    // A write without an answer of Okta may still reach the profile.
    const isGiven = records.of(userId)[0]?.consent === 'given';
    try {
      const { isByWhatsApp } = await users.read(userId);
      if (!isByWhatsApp && !isGiven) return;
    } catch (error) {
      // The user has withdrawn consent, even if Okta cannot be asked.
      recordWithdrawal();
      throw error;
    }
    recordWithdrawal();
    await users.setByWhatsApp(userId, false);
  };

  /** Issues a word to a user who agrees. Returns whether the user has a number that it can come from. */
  const offerWord = async (userId: string, textVersion: string): Promise<boolean> => {
    const { isByWhatsApp, phone } = await users.read(userId);
    if (isByWhatsApp || phone === undefined) return false;
    words.issue({ userId, phone, textVersion });
    return true;
  };

  /** New consent takes an earlier STOP back (`isStart`), even if it could not be written to Okta yet. */
  const turnOn = async (waiting: WaitingWord): Promise<InboundReply | undefined> => {
    const { userId, phone, textVersion } = waiting;
    let isGiven = false;
    try {
      const { phone: phoneNow } = await users.read(userId);
      // The user may have cancelled it before it came, or have another number at Okta now.
      if (words.isCancelled(waiting)) return undefined;
      if (phoneNow !== phone) {
        words.cancel(userId);
        return undefined;
      }
      // Recorded before the write, whose answer may be lost: nobody gets codes by WhatsApp without a record of consent.
      const how = { by: 'word', numberEnding: endingOf(phone) } as const;
      records.append({ userId, consent: 'given', textVersion, how, at: clock() });
      isGiven = true;
      await users.setByWhatsApp(userId, true);
    } catch (error) {
      // It may come again.
      waiting.isTaken = false;
      if (!(error instanceof OktaApiError)) throw error;
      logger.error('WhatsApp could not be turned on', {
        userId,
        reason: error.message,
        remedy: error.remedy,
      });
      if (words.isCancelled(waiting)) return undefined;
      const text = 'That could not be saved just now. Please send the word again in a minute.';
      return { text, isStart: isGiven };
    }
    // If the user has cancelled it meanwhile, the next turn turns WhatsApp off again.
    if (words.isCancelled(waiting)) return undefined;
    words.cancel(userId);
    return {
      text: 'WhatsApp is on: your codes come here, at the latest in a minute. Send STOP to end that.',
      isStart: true,
    };
  };

  const viewOf = (req: Request, { isByWhatsApp, phone }: CodePreference): PreferenceView => {
    const { id: userId, csrfToken } = userOf(req);
    const waiting = words.waitingFor(userId);
    const shown = { csrfToken, phone, records: records.of(userId) };
    if (isByWhatsApp) return { ...shown, state: { kind: 'whatsapp' } };
    // A word for another number than the user has now cannot be taken.
    if (waiting === undefined || waiting.phone !== phone)
      return { ...shown, state: { kind: 'sms', hasRunOut: 'waiting' in req.query } };
    const { word, expiresAt } = waiting;
    const leftMs = expiresAt - clock();
    return { ...shown, state: { kind: 'waiting', word, leftMs, whatsAppNumber, link: linkFor(word) } };
  };

  const router = express.Router();
  router.use(PREFERENCES_PATH, requireUser);
  router.get(PREFERENCES_PATH, async (req, res) => {
    res.send(preferencePage(viewOf(req, await users.read(userOf(req).id))));
  });
  router.post(PREFERENCES_PATH, readForm, checkCsrfToken, async (req, res) => {
    const userId = userOf(req).id;
    const { channel, textVersion } = fieldsOf(req);
    if (channel === 'sms') {
      // Cancels at once a word that is being taken. The rest waits for its turn.
      words.cancel(userId);
      await inTurn(userId, () => turnOff(userId));
      res.redirect(303, PREFERENCES_PATH);
    } else if (channel !== 'whatsapp') {
      res.status(400).send(problemPage('That did not work', 'There is no such channel.'));
    } else if (textVersion !== CONSENT_VERSION) {
      // The text has changed since the user opened the page.
      res.status(409).send(problemPage('The text has changed', 'Please open the page again and read it.'));
    } else {
      const isWaiting = await inTurn(userId, () => offerWord(userId, textVersion));
      res.redirect(303, isWaiting ? WAITING_PATH : PREFERENCES_PATH);
    }
  });
  const answerOktaFailure: ErrorRequestHandler = (error: unknown, req, res, next) => {
    if (!(error instanceof OktaApiError) || res.headersSent) {
      next(error);
      return;
    }
    const isChoice = req.method === 'POST';
    const message = isChoice
      ? 'A choice on the preference page may not be saved'
      : 'The preference page cannot use Okta';
    const sentence = isChoice
      ? 'Your choice may not be saved, because Okta does not answer. In a minute, please open the page again, look at what it says, and choose again.'
      : 'Okta cannot be asked at the moment. Please look again in a minute.';
    logger.error(message, { userId: userOf(req).id, reason: error.message, remedy: error.remedy });
    res.status(503).send(problemPage('Not now', sentence));
  };
  router.use(PREFERENCES_PATH, answerOktaFailure);

  return {
    router,
    onMessage: async ({ channel, from, text }) => {
      // An SMS does not prove that the number has WhatsApp.
      if (channel !== 'whatsapp') return undefined;
      if (from === undefined) return isLikeAWord(text) ? NO_NUMBER_REPLY : undefined;
      const waiting = words.take(text, from);
      if (waiting === undefined) return undefined;
      return inTurn(waiting.userId, () => turnOn(waiting));
    },
  };
}

/** The reply to a word from an account whose number WhatsApp hides. */
const NO_NUMBER_REPLY =
  'WhatsApp does not show us your number. Send the word as a reply to a message that this number has sent you. If it has sent you none, ask your help desk.';

/** The number that users send words to. */
function requireInbound({ publicUrl, sandboxNumber, senders }: OktaTelephonyHookOptions): string {
  const sandbox = typeof sandboxNumber === 'object' ? sandboxNumber.number : sandboxNumber;
  const number = sandbox ?? senders?.whatsapp?.from;
  const problems = [
    ...(publicUrl === undefined ? ['publicUrl is missing: the words of the preference page come to it'] : []),
    ...(number === undefined
      ? ['sandboxNumber or senders.whatsapp is missing: the words of the preference page are sent to it']
      : []),
  ];
  if (number === undefined || problems.length > 0) {
    throw new ConfigurationError(problems, { of: 'the preference page' });
  }
  return number;
}
