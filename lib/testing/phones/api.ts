import type { BadDayPhaseName, SwitchScenario } from './scenarios.js';
import type { CodeProblem } from '../okta/org.js';
import type { RequestType } from '../../core/request-types.js';
import type { OktaVerdict } from '../okta/verdict.js';

/** What the phones' page and its server tell each other, as JSON. Types only: browsers get none of this file. */

/** `GET api/about`: what stays as it is. */
export interface PhonesAbout {
  readonly sandbox: {
    /** E.164. */
    readonly number: string;
    /** What a phone writes to join. */
    readonly joinWords: string;
    /** Where the QR code leads, and its rows of dark (`1`) and light (`0`) squares. */
    readonly link: string;
    readonly qrCode: readonly string[];
  };
  /** More pages beside this one. */
  readonly links: readonly PageLink[];
}

/** Another page that belongs to this one. */
export interface PageLink {
  readonly title: string;
  readonly href: string;
}

/** `GET api/stream`, server-sent events: `state`, at once and after every change. */
export interface PhonesState {
  /** Counts up: of two, the later one. */
  readonly revision: number;
  readonly people: readonly PersonView[];
  readonly faults: readonly FaultSwitchView[];
  readonly badDay: BadDayView;
}

/** Somebody, and what is on their phone. */
export interface PersonView {
  readonly id: string;
  readonly firstName: string;
  readonly name: string;
  readonly login: string;
  /** E.164. */
  readonly phone: string;
  /** BCP 47; `undefined` where Okta does not know. */
  readonly language: string | undefined;
  readonly hasOptedIn: boolean;
  readonly isInSandbox: boolean;
  /** Oldest first; the latest hundred. */
  readonly items: readonly PhoneItem[];
  /** The last one. */
  readonly signIn: SignInView | undefined;
}

/** A message or call on a phone. */
export interface PhoneItem {
  readonly sid: string;
  readonly channel: 'whatsapp' | 'sms' | 'voice';
  /** Whether the phone's owner wrote it. */
  readonly isOwn: boolean;
  /** Who is at the other end: E.164. */
  readonly with: string;
  readonly text: string;
  /** The button under a WhatsApp template. */
  readonly button?: { readonly text: string; readonly copies: string } | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** As Twilio has it by now; `undefined` of a reply, which has none. */
  readonly status: string | undefined;
  /** Of the words of a call, BCP 47. */
  readonly language: string | undefined;
}

/** A sign-in, from Okta asking for a code to the code that was typed. */
export interface SignInView {
  readonly requestType: RequestType;
  readonly by: SignInChannel;
  /** `undefined` until Okta has the hook's answer. */
  readonly answer: HookAnswerView | undefined;
  /** When the code runs out, milliseconds since 1970. */
  readonly expiresAt: number | undefined;
  /** What the gateway asked of Twilio for it, oldest first, and what became of that. */
  readonly attempts: readonly SendAttempt[];
  /** What was typed last. */
  readonly entered: EnteredView | undefined;
}

export type SignInChannel = 'sms' | 'voice';

/** What Okta got from the hook, and does now. */
export interface HookAnswerView extends OktaVerdict {
  readonly httpStatus: number | undefined;
  readonly durationMs: number;
  /** Its JSON, or its text. */
  readonly body: unknown;
}

/** One message or call of Twilio's. */
export interface SendAttempt {
  readonly sid: string;
  readonly channel: 'whatsapp' | 'sms' | 'voice';
  readonly status: string;
  readonly errorCode: number | undefined;
}

/** What became of a code that was typed. */
export interface EnteredView {
  /** `undefined`: it was right. */
  readonly problem: CodeProblem | undefined;
  /** Whether Okta's event hook told the gateway; `undefined` where there is no event hook. */
  readonly isTold: boolean | undefined;
}

/** A switch, and whether it is on. */
export interface FaultSwitchView extends Omit<SwitchScenario, 'apply'> {
  readonly isOn: boolean;
}

/** The scripted bad day. */
export interface BadDayView {
  readonly isPlaying: boolean;
  readonly phases: readonly { readonly name: BadDayPhaseName; readonly description: string }[];
  /** Which of them it is now. */
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
