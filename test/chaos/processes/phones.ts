import { setTimeout as wait } from 'node:timers/promises';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import type { WordFact } from '../account/facts.js';
import { between, chanceOf, pick } from '../chance.js';
import type { Balancer, Passing } from './balancer.js';
import { HOOK_PATH } from './callbacks.js';
import { PUSH_PATH, PUSH_TAKEN, signPush, type PushingAccount, type WhatsAppProviders } from '../pushing.js';
import type { Person } from './people.js';

/** Users write STOP and, later, START by WhatsApp. Their provider brings each message to any gateway, and some twice. */

export interface PhonesParts {
  readonly seed: number;
  readonly lengthMs: number;
  readonly people: readonly Person[];
  /** A user who is waiting for a code, mostly. */
  readonly waiting: () => Person | undefined;
  readonly balancer: Balancer;
  readonly publicUrl: string;
  readonly authToken: string;
  readonly whatsAppFrom: string;
  readonly whatsApp: WhatsAppProviders;
  readonly pushing: PushingAccount;
}

/** Between two users who write STOP, milliseconds. */
const EVERY_MS = [300, 1_500] as const;
const COMES_TWICE = 0.3;
/** The share of words that come while a code is on its way. */
const WAITS_FOR_CODE = 0.5;
/** The share of users who write START later. */
const STARTS_AGAIN = 0.6;
const TWILIO_WAITS_MS = 15_000;

/** Resolves when all words have come. */
export async function bringWords(parts: PhonesParts): Promise<readonly WordFact[]> {
  const { seed, lengthMs, people, waiting } = parts;
  const chance = chanceOf(seed, 'words');
  const users = people.filter(({ isOptedIn }) => isOptedIn);
  const words: WordFact[] = [];
  const underWay: Promise<void>[] = [];
  const endsAt = performance.now() + lengthMs;
  for (let count = 0; performance.now() < endsAt && count < users.length; count += 1) {
    await wait(between(chance, ...EVERY_MS));
    const now = chance() < WAITS_FOR_CODE ? waiting() : undefined;
    const user = now?.isOptedIn === true ? now : users[(count * 7) % users.length];
    const startsAfterMs = chance() < STARTS_AGAIN ? between(chance, 2_000, 20_000) : undefined;
    const again = [againBy(chance), againBy(chance)] as const;
    if (user !== undefined) underWay.push(writeBoth(user, count, { startsAfterMs, again }, parts, words));
  }
  await Promise.all(underWay);
  return words;
}

const againBy = (chance: () => number): number | undefined =>
  chance() < COMES_TWICE
    ? pick(chance, [
        [2, 0, 100],
        [1, 100, 2_000],
      ])
    : undefined;

async function writeBoth(
  user: Person,
  count: number,
  how: {
    readonly startsAfterMs: number | undefined;
    /** After how long STOP and START come again. */
    readonly again: readonly [number | undefined, number | undefined];
  },
  parts: PhonesParts,
  words: WordFact[],
): Promise<void> {
  const sidOf = (word: string): string =>
    `SM${word === 'STOP' ? 'a' : 'b'}${String(count).padStart(31, '0')}`;
  const writeOne = async (word: WordFact['word'], againMs: number | undefined): Promise<void> => {
    const first = bringWord(word, sidOf(word), user, parts);
    const again =
      againMs === undefined ? [] : [wait(againMs).then(() => bringWord(word, sidOf(word), user, parts))];
    words.push(...(await Promise.all([first, ...again])));
  };
  await writeOne('STOP', how.again[0]);
  if (how.startsAfterMs === undefined) return;
  await wait(how.startsAfterMs);
  await writeOne('START', how.again[1]);
}

async function bringWord(
  word: WordFact['word'],
  messageId: string,
  user: Person,
  parts: PhonesParts,
): Promise<WordFact> {
  const { balancer, whatsApp, pushing } = parts;
  const isPushed = whatsApp !== 'twilio';
  const request = isPushed
    ? {
        path: HOOK_PATH + PUSH_PATH,
        ...signPush({ messageId, from: user.phone, text: word }, pushing.secret),
      }
    : twilioRequest(word, messageId, user, parts);
  const at = Date.now();
  const { gateway = -1, status } = await balancer.pass({ ...request, waitMs: TWILIO_WAITS_MS });
  const isTaken = status === (isPushed ? PUSH_TAKEN : 200);
  return { userId: user.id, word, messageId, at, answeredAt: Date.now(), gateway, isTaken };
}

function twilioRequest(
  word: string,
  messageId: string,
  user: Person,
  { publicUrl, authToken, whatsAppFrom }: PhonesParts,
): Pick<Passing, 'path' | 'headers' | 'body'> {
  const params = {
    ...{ MessageSid: messageId, From: `whatsapp:${user.phone}`, To: `whatsapp:${whatsAppFrom}`, Body: word },
  };
  return {
    path: `${HOOK_PATH}/twilio/inbound`,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': getExpectedTwilioSignature(authToken, `${publicUrl}/twilio/inbound`, params),
    },
    body: new URLSearchParams(params).toString(),
  };
}
