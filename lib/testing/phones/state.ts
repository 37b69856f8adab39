import { encode } from 'uqr';
import type { FaultSwitches } from './fault-switches.js';
import { languageOf, phoneOf } from './people.js';
import { appOf } from '../server/phones.js';
import type { EmulatedUser } from '../okta/users/users.js';
import type { OktaEmulator } from '../okta/emulator.js';
import { textFieldOf } from '../../core/json.js';
import type {
  PersonView,
  PhoneItem,
  PhoneSource,
  PhonesAbout,
  PhonesState,
  SuppressionReader,
  SuppressionView,
} from './api.js';
import type { SignIns } from './sign-ins.js';
import { languageOfTwiml } from '../twilio/spoken-twiml.js';
import type { TwilioEmulator } from '../twilio/emulator.js';

export interface StateParts {
  readonly okta: OktaEmulator;
  readonly twilio: TwilioEmulator;
  /** Other providers by name. */
  readonly emulators: Readonly<Record<string, PhoneSource>>;
  readonly optInAttribute: string;
  readonly switches: FaultSwitches;
  readonly signIns: SignIns;
  readonly suppressionsOf: ReturnType<typeof rememberSuppressions>;
}

/** The number of a phone's messages and calls that are shown. */
const MAX_ITEMS = 100;

/** What never changes. */
export function aboutOf(twilio: TwilioEmulator): PhonesAbout {
  const joinWords = `join ${twilio.joinCode}`;
  const link = `https://wa.me/${twilio.sandboxNumber.slice(1)}?text=${encodeURIComponent(joinWords)}`;
  const { data } = encode(link, { ecc: 'M', border: 2 });
  const qrCode = data.map((row) => row.map((isDark) => (isDark ? '1' : '0')).join(''));
  return { sandbox: { number: twilio.sandboxNumber, joinWords, link, qrCode } };
}

export function stateOf(parts: StateParts): Omit<PhonesState, 'revision'> {
  const { messages, calls } = parts.twilio;
  // Made once for all people: the state is read often, and there may be many.
  const made: MadeBySid = new Map([...messages, ...calls].map((one) => [one.sid, one]));
  return {
    people: parts.okta.users.flatMap((user) => {
      const phone = phoneOf(user);
      return phone === undefined ? [] : [personOf(user, phone, made, parts)];
    }),
    faults: parts.switches.views,
    badDay: parts.switches.badDay,
  };
}

function personOf(user: EmulatedUser, phone: string, made: MadeBySid, parts: StateParts): PersonView {
  const { twilio, optInAttribute, signIns, suppressionsOf } = parts;
  const firstName = textFieldOf(user.profile, 'firstName') ?? user.login;
  return {
    id: user.id,
    firstName,
    name: `${firstName} ${textFieldOf(user.profile, 'lastName') ?? ''}`.trim(),
    login: user.login,
    phone,
    language: languageOf(user),
    hasOptedIn: user.profile[optInAttribute] === true,
    isInSandbox: twilio.isInSandbox(phone),
    suppressions: suppressionsOf(phone),
    items: itemsOf(phone, { made, language: languageOf(user) }, parts),
    signIn: signIns.viewOf(user.id),
  };
}

type MadeBySid = ReadonlyMap<string, TwilioEmulator['messages'][number] | TwilioEmulator['calls'][number]>;

/** @param of.language - of the phone's owner, in which Okta writes its text. A template has its own language. */
function itemsOf(
  phone: string,
  of: { readonly made: MadeBySid; readonly language: string | undefined },
  { twilio, emulators }: Pick<StateParts, 'twilio' | 'emulators'>,
): readonly PhoneItem[] {
  const senders = { whatsapp: twilio.sandboxNumber, sms: twilio.smsNumber, voice: twilio.voiceNumber };
  const got = twilio.inbox(phone).map(({ sid, channel, text, button, at }): PhoneItem => {
    const made = of.made.get(sid);
    const isText = made !== undefined && made.channel !== 'voice' && made.contentSid === undefined;
    const spoken = made?.channel === 'voice' ? languageOfTwiml(made.twiml ?? '') : undefined;
    return {
      sid,
      channel,
      isOwn: false,
      with: made?.from ?? senders[channel],
      text,
      button,
      at,
      status: made?.status,
      language: isText ? of.language : spoken,
    };
  });
  const written = twilio.received
    .filter(({ from }) => from === phone)
    .map(({ sid, channel, to, body, at }): PhoneItem => ({
      sid,
      channel: appOf(channel),
      isOwn: true,
      with: to,
      text: body,
      at,
      status: undefined,
      language: undefined,
    }));
  const byOthers = Object.entries(emulators).flatMap(([name, source]) =>
    source.inbox(phone).map(({ sid, channel, text, button, at }): PhoneItem => ({
      sid,
      channel,
      isOwn: false,
      with: name,
      text,
      button,
      at,
      status: undefined,
      language: undefined,
    })),
  );
  // A message comes before a reply of the same millisecond.
  return [...written, ...got, ...byOthers].sort((one, other) => one.at - other.at).slice(-MAX_ITEMS);
}

/** Returns the suppressions of a phone as the hook said last: the page's state is read at once, and the hook answers later. */
export function rememberSuppressions(
  hook: SuppressionReader | undefined,
): (number: string) => readonly SuppressionView[] {
  const known = new Map<string, readonly SuppressionView[]>();
  const read = async (number: string): Promise<void> => {
    // A number that is not in E.164 has no suppression.
    const found = (await hook?.suppressions(number).catch(() => [])) ?? [];
    known.set(
      number,
      found.map(({ channel, reason, until }) => ({ channel, reason, until: toSecond(until.getTime()) })),
    );
  };
  return (number) => {
    void read(number);
    return known.get(number) ?? [];
  };
}

/** The hook calculates an end at each read, by two clocks. A difference of a millisecond is no change of the page. */
function toSecond(atMs: number): number {
  return Math.round(atMs / 1000) * 1000;
}
