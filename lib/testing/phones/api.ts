import type { BadDayPhaseName, SwitchScenario } from './scenarios.js';
import type { CodeProblem } from '../okta/hooks/codes.js';
import type { RequestType } from '../../core/request-types.js';
import type { OktaVerdict } from '../okta/hooks/verdict.js';
import type { EmulatedProvider } from '../server/emulated-provider.js';
import type { EmulatedPhoneItem } from '../server/phones.js';

/** The JSON between the phones' page and its server. Only types: browsers do not load this file. */

/** `GET api/about`: what never changes. */
export interface PhonesAbout {
  readonly sandbox: {
    /** E.164. */
    readonly number: string;
    /** The words with which a phone joins. */
    readonly joinWords: string;
    /** The link of the QR code, and its rows of dark (`1`) and light (`0`) squares. */
    readonly link: string;
    readonly qrCode: readonly string[];
  };
}

/** The emulator of a provider beyond Twilio, as the page reads it. */
export type PhoneSource = Pick<EmulatedProvider<never, never, never>, 'inbox' | 'onDelivered'>;

/** A link to another page. */
export interface PageLink {
  readonly title: string;
  readonly href: string;
}

/** `GET api/stream`, server-sent events: `state`, at once and after every change. */
export interface PhonesState {
  /** Higher in each newer state. */
  readonly revision: number;
  readonly people: readonly PersonView[];
  readonly faults: readonly FaultSwitchView[];
  readonly badDay: BadDayView;
}

/** A person and their phone. */
export interface PersonView {
  readonly id: string;
  readonly firstName: string;
  readonly name: string;
  readonly login: string;
  /** E.164. */
  readonly phone: string;
  /** BCP 47; `undefined` if Okta does not know it. */
  readonly language: string | undefined;
  readonly hasOptedIn: boolean;
  readonly isInSandbox: boolean;
  /** The channels that get no codes for the phone. */
  readonly suppressions: readonly SuppressionView[];
  /** Oldest first; the latest hundred. */
  readonly items: readonly PhoneItem[];
  /** The latest sign-in. */
  readonly signIn: SignInView | undefined;
}

/** A channel that gets no codes for a phone. */
export interface SuppressionView {
  readonly channel: string;
  readonly reason: 'stopped' | 'unreachable';
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** The part of a hook that the phones' page reads. */
export interface SuppressionReader {
  /** As `TelephonyHook.suppressions`. */
  suppressions(
    number: string,
  ): Promise<
    readonly { readonly channel: string; readonly reason: 'stopped' | 'unreachable'; readonly until: Date }[]
  >;
}

/** A message or call on a phone. */
export interface PhoneItem extends Omit<EmulatedPhoneItem, 'spoken'> {
  /** Whether the phone's owner wrote it. */
  readonly isOwn: boolean;
  /** The other number, E.164; the name of the provider if it is not Twilio. */
  readonly with: string;
  /** Twilio's current status; `undefined` for a reply and for other providers, which have none. */
  readonly status: string | undefined;
  /** The language of the text or of a call, BCP 47; `undefined` if it is not known. */
  readonly language: string | undefined;
}

/** A sign-in, from Okta's request for a code to the code that was entered. */
export interface SignInView {
  /** `undefined` until Okta has the hook's answer. */
  readonly answer: HookAnswerView | undefined;
  /** When the code expires, milliseconds since 1970. */
  readonly expiresAt: number | undefined;
  /** The gateway's messages and calls for it, oldest first, those that Twilio refused included. */
  readonly attempts: readonly SendAttempt[];
  /** The result of the code that was entered last. */
  readonly entered: EnteredView | undefined;
}

export type SignInChannel = 'sms' | 'voice';

/** The hook's answer, and what Okta does with it. */
export interface HookAnswerView extends OktaVerdict {
  readonly httpStatus: number | undefined;
  readonly durationMs: number;
  /** The body's JSON, or its text. */
  readonly body: unknown;
}

/** A message or call for a sign-in. */
export interface SendAttempt {
  readonly channel: 'whatsapp' | 'rcs' | 'sms' | 'voice';
  /** Twilio's current status; `refused` if Twilio answered with an error. */
  readonly status: string;
  readonly errorCode: number | undefined;
}

/** The result of a code that was entered. */
export interface EnteredView {
  /** `undefined` if the code was right. */
  readonly problem: CodeProblem | undefined;
  /** Whether Okta's event hook reached the gateway; `undefined` if there is no event hook. */
  readonly isReported: boolean | undefined;
}

/** A switch, and whether it is on. */
export interface FaultSwitchView extends Omit<SwitchScenario, 'apply'> {
  readonly isOn: boolean;
}

/** The scripted bad day. */
export interface BadDayView {
  readonly isPlaying: boolean;
  readonly phases: readonly { readonly name: BadDayPhaseName; readonly description: string }[];
  /** The current phase. */
  readonly current: BadDayPhaseName | undefined;
}

/** What each `POST api/{name}` takes. The answer is the new state. */
export interface PhonesRequests {
  'sign-in': { readonly userId: string; readonly requestType: RequestType; readonly by: SignInChannel };
  code: { readonly userId: string; readonly code: string };
  /** A person writes to the gateway's number. */
  write: { readonly userId: string; readonly channel: 'whatsapp' | 'sms'; readonly text: string };
  /** A person opens a WhatsApp message. */
  read: { readonly sid: string };
  'opt-in': { readonly userId: string; readonly hasOptedIn: boolean };
  fault: { readonly id: string; readonly isOn: boolean };
  'bad-day': { readonly isOn: boolean };
}

/** Every answer that is not 2xx. */
export interface PhonesFailure {
  readonly error: { readonly code: string; readonly message: string };
}
