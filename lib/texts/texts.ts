import type { Budget } from '../core/budget.js';
import { VOICE, type Message, type TelephonyRequest, type UserProfile } from '../core/channel.js';
import type { ComposeText, TextsByLocale, TextsByRequestType, TextsOptions } from '../core/option-types.js';
import { shortRequestType } from '../core/request-types.js';
import { TIMED_OUT, waitAtMost } from '../core/time.js';
import { localeChain, pickByLocale, readLocale } from './locale.js';
import { spokenCode, spokenDigits } from './spoken-code.js';
import { cleanName, fillIn, MAX_TEXT_LENGTH, readTemplate, type TextTemplate } from './text-template.js';

/** The text of a message: Okta's own, one of the `texts` options, which is picked by request type and locale, or that of `composeText`. */

/**
 * The share of the budget for `composeText`: at most so many milliseconds, and a fraction of the remaining
 * time.
 */
const COMPOSE_SHARE = { maxMs: 300, fraction: 0.25 } as const;

/**
 * Okta's own text. Falls back to a plain sentence if the text is missing, too long or without the code, as
 * from an edited preview in the Admin Console.
 */
export function oktaText(request: TelephonyRequest): string {
  const { msgTemplate, otpCode } = request;
  if (msgTemplate !== undefined && isSendable(msgTemplate, otpCode)) return msgTemplate;
  return `Your verification code is ${otpCode}`;
}

/**
 * The text of `composeText` for one channel, or `otherwise` if it fails, is late or returns a text that cannot
 * be sent. Never rejects.
 */
export async function textFor(
  channel: string,
  request: TelephonyRequest,
  profile: UserProfile | undefined,
  parts: {
    readonly composeText: ComposeText;
    readonly budget: Budget;
    readonly otherwise: string;
    readonly onFailure: (error: unknown) => void;
  },
): Promise<string> {
  try {
    const { maxMs, fraction } = COMPOSE_SHARE;
    const work = Promise.resolve(parts.composeText(request, profile, channel));
    // After its share of the deadline is over, a failure of composeText must not become an unhandled
    // rejection.
    work.catch(() => undefined);
    const text: unknown = await waitAtMost(work, parts.budget.share(maxMs, fraction));
    if (typeof text === 'string' && isSendable(text, request.otpCode)) return text;
    const why = text === TIMED_OUT ? 'too slow' : 'no text with the code and of a length that can be sent';
    parts.onFailure(new TypeError(why));
  } catch (error) {
    parts.onFailure(error);
  }
  return parts.otherwise;
}

function isSendable(text: string, otpCode: string): boolean {
  return text.length <= MAX_TEXT_LENGTH && text.includes(otpCode);
}

/** The words of a call and their language (BCP-47). */
export interface SpokenWords {
  readonly words: string;
  readonly locale: string;
}

/** A parsed text. */
interface ReadText {
  readonly template: TextTemplate;
  /**
   * The language of a `default` text; `undefined` for a text with a locale, which is spoken in the user's
   * locale.
   */
  readonly spokenIn: string | undefined;
}

type Table = Readonly<Record<string, ReadText>>;

interface Tables {
  /** By the last part of the request type, in lower case. */
  readonly byType: ReadonlyMap<string, Table>;
  readonly others: Table;
}

/**
 * Tolerance for the time between the arrival of a request and its text: a code of five minutes must not say
 * four.
 */
const AGE_TOLERANCE_MS = 5_000;

/** The texts of one hook, parsed once by the factory. Every method is synchronous. */
export class Texts {
  readonly #sms: Tables;
  readonly #voice: Tables;
  readonly #webOtpDomain: string | undefined;
  readonly #usesFirstName: boolean;
  readonly #clock: () => number;

  /** @param options - validated. */
  constructor({ sms = {}, voice = {}, webOtpDomain }: TextsOptions, clock: () => number) {
    this.#sms = readTables(sms);
    this.#voice = readTables(voice);
    this.#webOtpDomain = webOtpDomain;
    this.#usesFirstName = [this.#sms, this.#voice].some(usesFirstName);
    this.#clock = clock;
  }

  /** The text for one channel: from the options if one fits, else Okta's. */
  wordsFor(
    channel: string,
    request: TelephonyRequest,
    profile: UserProfile | undefined,
    locale: string,
  ): string {
    if (channel === VOICE) return this.spokenFor(request, profile, locale)?.words ?? oktaText(request);
    const text = pickText(this.#sms, request.requestType, locale);
    if (text === undefined) return oktaText(request);
    return this.#fill(text.template, request.otpCode, request, profile);
  }

  /** The words of a call; `undefined` if the options have no text for it. */
  spokenFor(
    request: TelephonyRequest,
    profile: UserProfile | undefined,
    locale: string,
  ): SpokenWords | undefined {
    const text = pickText(this.#voice, request.requestType, locale);
    if (text === undefined) return undefined;
    const spokenIn = text.spokenIn ?? locale;
    const digits = spokenDigits(spokenIn, request.otpCode);
    return { words: this.#fill(text.template, digits, request, profile), locale: spokenIn };
  }

  /**
   * Appends the line that binds the code to a site, in the WICG format for origin-bound one-time codes.
   * Returns the text unchanged if it already ends with such a line, or if the line would make it too long.
   */
  bind(channel: string, text: string, { otpCode }: TelephonyRequest): string {
    if (this.#webOtpDomain === undefined || channel !== 'sms') return text;
    const words = text.trimEnd();
    const lastLine = words.slice(Math.max(words.lastIndexOf('\n'), words.lastIndexOf('\r')) + 1);
    const [host = '', code] = lastLine.split(' ', 2);
    if (host.length > 1 && host.startsWith('@') && code === `#${otpCode}`) return words;
    const bound = words + originLine(this.#webOtpDomain, otpCode);
    return bound.length <= MAX_TEXT_LENGTH ? bound : text;
  }

  /** Whether the text for a request may need the user's profile, for a first name that Okta did not send. */
  readsProfile({ firstName }: Pick<TelephonyRequest, 'firstName'>): boolean {
    return this.#usesFirstName && cleanName(firstName) === '';
  }

  #fill(
    template: TextTemplate,
    code: string,
    request: TelephonyRequest,
    profile: UserProfile | undefined,
  ): string {
    const leftMs = request.expiresAt.getTime() - this.#clock();
    return fillIn(template, {
      code,
      minutes: String(Math.max(1, Math.floor((leftMs + AGE_TOLERANCE_MS) / 60_000))),
      firstName:
        template.withoutFirstName === undefined
          ? ''
          : cleanName(request.firstName) || cleanName(profile?.['firstName']),
    });
  }
}

/** What a call says: the text of the options, else our own. Its language is always the language of the voice that reads it. */
export function spokenWords(
  { request, profile, locale }: Pick<Message, 'request' | 'profile' | 'locale'>,
  texts: Pick<Texts, 'spokenFor'> | undefined,
): SpokenWords {
  const words = texts?.spokenFor(request, profile, locale);
  if (words !== undefined) return words;
  const { language, sentence, digits } = spokenCode(locale, request.otpCode);
  const isOwn = localeChain(locale.toLowerCase()).at(-1) === language;
  return { words: `${sentence} ${digits}`, locale: isOwn ? locale : language };
}

/** The last line of an SMS that binds its code to a site. */
export function originLine(domain: string, otpCode: string): string {
  return `\n\n@${domain.toLowerCase()} #${otpCode}`;
}

/** All texts with their path inside the option: `pt`, or `mfa-verification.pt`. */
export function listTexts(
  texts: TextsByLocale | TextsByRequestType,
): readonly (readonly [place: string, text: string])[] {
  return entriesOf(texts).flatMap(([key, entry]) =>
    entry === undefined
      ? []
      : typeof entry === 'string'
        ? [[key, entry] as const]
        : listTexts(entry).map(([path, text]) => [`${key}.${path}`, text] as const),
  );
}

function entriesOf(
  texts: TextsByLocale | TextsByRequestType,
): readonly (readonly [key: string, entry: string | TextsByLocale | undefined])[] {
  return Object.entries<string | TextsByLocale | undefined>(texts);
}

function readTables(texts: TextsByLocale | TextsByRequestType): Tables {
  const byType = new Map<string, Table>();
  const plain: Record<string, string> = {};
  for (const [key, entry] of entriesOf(texts)) {
    if (typeof entry === 'string') plain[key] = entry;
    else if (entry !== undefined) byType.set(shortRequestType(key), readTable(entry));
  }
  return { byType, others: byType.get('default') ?? readTable(plain) };
}

function readTable(texts: TextsByLocale): Table {
  const given = listTexts(texts);
  return Object.fromEntries(
    given.map(([key, text]) => {
      const tag = readLocale(key);
      const twin = given.find(([other, same]) => same === text && readLocale(other) !== undefined)?.[0];
      const spokenIn = tag === undefined ? (readLocale(twin) ?? 'en') : undefined;
      return [tag ?? 'default', { template: readTemplate(text), spokenIn }];
    }),
  );
}

function pickText(
  { byType, others }: Tables,
  requestType: string | undefined,
  locale: string,
): ReadText | undefined {
  const table = requestType === undefined ? undefined : byType.get(shortRequestType(requestType));
  return (table === undefined ? undefined : pickByLocale(table, locale)) ?? pickByLocale(others, locale);
}

function usesFirstName({ byType, others }: Tables): boolean {
  const tables = [...byType.values(), others];
  return tables.some((table) =>
    Object.values(table).some(({ template }) => template.withoutFirstName !== undefined),
  );
}
