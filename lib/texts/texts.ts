import { VOICE, type TelephonyRequest, type UserProfile } from '../core/channel.js';
import { shortRequestType } from '../core/request-types.js';
import { pickByLocale, readLocale } from './locale.js';
import { spokenDigits } from './spoken-code.js';
import { oktaText } from './compose-text.js';
import { cleanName, fillIn, MAX_TEXT_LENGTH, readTemplate, type TextTemplate } from './text-template.js';

/** The texts of the options: which one a user gets, and what is filled in. */

/** Texts by BCP-47 tag, and `default` for every other language. */
export type TextsByLocale = Readonly<Record<string, string | undefined>>;

/**
 * Such texts by what Okta asks for: `mfa-verification`, `pre-enrollment`, `account-unlock`, `password-reset` or any other
 * last part of a request type, or the whole of it; `default` for every other one.
 */
export type TextsByRequestType = Readonly<Record<string, TextsByLocale | undefined>>;

/** Texts in place of Okta's. Each holds `{code}`, and may hold `{minutes}` and `{firstName}`. */
export interface TextsOptions {
  /** For channels that send free text. Default: Okta's text. */
  readonly sms?: TextsByLocale | TextsByRequestType | undefined;
  /** What calls say, twice. Default: a sentence in one of ten languages. */
  readonly voice?: TextsByLocale | TextsByRequestType | undefined;
  /**
   * The host of the page where the code is typed in, such as `login.acme.com`: every SMS ends with the line
   * `@login.acme.com #123456`, from which browsers fill it in on that site, and on no other. Default: no such line.
   */
  readonly webOtpDomain?: string | undefined;
}

/** What a call says, and in which language: BCP-47. */
export interface SpokenWords {
  readonly words: string;
  readonly locale: string;
}

/** The words of calls, for the channels that make them. */
export interface VoiceTexts {
  /** What a call says; `undefined` where no text of the options fits. */
  spokenFor(
    request: TelephonyRequest,
    profile: UserProfile | undefined,
    locale: string,
  ): SpokenWords | undefined;
}

/** A text as it was read. */
interface ReadText {
  readonly template: TextTemplate;
  /** The language in which `default` is spoken; `undefined` where it is the user's own. */
  readonly spokenIn: string | undefined;
}

type Table = Readonly<Record<string, ReadText>>;

interface Tables {
  /** By the last part of the request type. */
  readonly byType: ReadonlyMap<string, Table>;
  readonly others: Table;
}

/**
 * What may pass between the receipt of a code and its text: one of five minutes has five, and not four, a moment after
 * it came.
 */
const MOMENT_MS = 5_000;

/** The texts of a hook, read once. Nothing here waits for anything. */
export class Texts implements VoiceTexts {
  readonly #sms: Tables;
  readonly #voice: Tables;
  readonly #webOtpDomain: string | undefined;
  readonly #isNamed: boolean;
  readonly #clock: () => number;

  /** @param options - in which nothing is wrong. */
  constructor({ sms = {}, voice = {}, webOtpDomain }: TextsOptions, clock: () => number) {
    this.#sms = readTables(sms);
    this.#voice = readTables(voice);
    this.#webOtpDomain = webOtpDomain;
    this.#isNamed = [this.#sms, this.#voice].some(asksForName);
    this.#clock = clock;
  }

  /** The words for one channel: those of the options that fit, else Okta's. */
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
   * An SMS with the line that binds its code to a site as its last, in the WICG's form of origin-bound one-time codes;
   * as it is where such a line is there, or has no room.
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

  /** Whether the text for a request may need its user's profile. */
  readsProfile({ firstName }: Pick<TelephonyRequest, 'firstName'>): boolean {
    return this.#isNamed && cleanName(firstName) === '';
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
      minutes: String(Math.max(1, Math.floor((leftMs + MOMENT_MS) / 60_000))),
      firstName:
        template.nameless === undefined
          ? ''
          : cleanName(request.firstName) || cleanName(profile?.['firstName']),
    });
  }
}

/** The end of an SMS that binds its code to a site. */
export function originLine(domain: string, otpCode: string): string {
  return `\n\n@${domain.toLowerCase()} #${otpCode}`;
}

/** Every text with its place in its option: `pt`, or `mfa-verification.pt`. */
export function listTexts(
  texts: TextsByLocale | TextsByRequestType,
): readonly (readonly [place: string, text: string])[] {
  return entriesOf(texts).flatMap(([key, entry]) =>
    entry === undefined
      ? []
      : typeof entry === 'string'
        ? [[key, entry] as const]
        : listTexts(entry).map(([place, text]) => [`${key}.${place}`, text] as const),
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

function asksForName({ byType, others }: Tables): boolean {
  const tables = [...byType.values(), others];
  return tables.some((table) => Object.values(table).some(({ template }) => template.nameless !== undefined));
}
