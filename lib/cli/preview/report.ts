import { maskNumber } from '../../core/masking.js';
import { textFieldOf, asList, fieldOf } from '../../core/json.js';
import type { HookCall } from '../../okta/inline-hook.js';
import { OKTA_WAITS_MS } from '../../core/time.js';
import { maskValue, maskForOutput } from './masked-call.js';
import type { PersonalFields } from '../../numbers/personal-data.js';
import { MAY_BE_SENT, type PreviewResult, type SendProblem } from './send.js';
import { FIX_NOT_FOUND } from '../gateway-probe.js';
import type { Terminal } from '../terminal.js';
import type { OfProviders } from '../../core/events.js';
import { describeProviders } from '../../events/describe-answer.js';
import { CHANNEL_NAME } from '../../options/combinations.js';
import { nameChannel } from '../../events/description.js';
import { remedyForBlock } from '../../guard/limits.js';
import { E164, readNumber } from '../../numbers/phone-number.js';
import { REFUSALS } from '../../okta/hook-answer.js';
import { describeRefusal } from '../../channels/twilio/outcome.js';

/** Prints a call before it is sent: its recipient and its route. All output here is masked. */
export function showCall(
  call: HookCall,
  parts: {
    readonly route: string;
    /** Whether the command has made up the code, so that it is worth nothing. */
    readonly isMadeUp: boolean;
    /** Whether the number is that of `--phone`. */
    readonly isPhoneGiven: boolean;
    /** What the user's profile says of the channel; `undefined` if it was not read, or does not decide. */
    readonly optIn: string | undefined;
    readonly secrets: PersonalFields;
    readonly terminal: Terminal;
  },
): void {
  const { route, isMadeUp, isPhoneGiven, optIn, secrets, terminal } = parts;
  const { request } = call;
  const isText = request.deliveryChannel === 'sms';
  const number = maskNumber(secrets.phoneNumber);
  const user = request.userId === undefined ? '(unknown)' : maskForOutput(request.userId, secrets);
  const of = isPhoneGiven ? 'of --phone, for' : 'of';
  terminal.say(
    `This ${isText ? 'sends a real message' : 'makes a real call'} to the phone ${number} ${of} the user ${user}.`,
    'bold',
  );
  terminal.sayTable([
    ['request', maskForOutput(request.requestType ?? 'unknown', secrets)],
    ['requested', isText ? 'SMS (a user who has opted in gets it by another channel)' : 'a voice call'],
    ...(optIn === undefined ? [] : [['opt-in', optIn] as const]),
    [
      'code',
      isMadeUp
        ? 'made up for this preview, not shown here: it grants no access'
        : 'that of the payload, not shown here: a real one grants access',
    ],
    ['event', maskForOutput(request.eventId, secrets)],
    ['route', route],
  ]);
}

const MARKS = {
  sent: ['✔', 'green'],
  pending: ['!', 'yellow'],
  failover: ['✘', 'red'],
  error: ['✘', 'red'],
} as const;

/** Prints the answer, what Okta does with it, and the time that it took. */
export function showSent(
  sent: PreviewResult,
  parts: { readonly via: 'okta' | 'gateway'; readonly secrets: PersonalFields; readonly terminal: Terminal },
): void {
  const { via, secrets, terminal } = parts;
  const { answer, problem, durationMs, reaction } = sent;
  const [mark, colour] = MARKS[reaction?.action ?? 'error'];
  if (problem !== undefined) terminal.say(`✘ ${problem.text}`, 'red');
  if (answer !== undefined) {
    const status = via === 'okta' ? 'Answered, as Okta read it' : `Answered ${answer.httpStatus}`;
    terminal.say(`${mark} ${status}`, colour);
    showAnswer(answer.body, secrets, terminal);
  }
  terminal.say(`  ${timeOf(durationMs, via, terminal)}`);
  if (reaction === undefined) return;
  terminal.say(`At a sign-in: ${reaction.text}`, colour);
  if (reaction.shown !== undefined) {
    terminal.say(`  The user may read: “${maskForOutput(reaction.shown, secrets)}”`);
  }
}

export interface MaskedResult extends Pick<PreviewResult, 'problem' | 'durationMs'>, OfProviders {
  readonly answer: NonNullable<PreviewResult['answer']> | null;
  readonly reaction: NonNullable<PreviewResult['reaction']> | null;
}

export function maskResult(
  { answer, problem, durationMs, reaction }: PreviewResult,
  secrets: PersonalFields,
): MaskedResult {
  const shown = reaction?.shown === undefined ? undefined : maskForOutput(reaction.shown, secrets);
  return {
    answer: answer === undefined ? null : { ...answer, body: maskValue(answer.body, secrets) },
    ...providersIn(answer?.body),
    problem,
    reaction: reaction === undefined ? null : { ...reaction, shown },
    durationMs: Math.round(durationMs),
  };
}

/** The errors and blocks that the answer names, masked, with their remedies. */
export function causesIn({ answer }: PreviewResult, secrets: PersonalFields): readonly AnswerCause[] {
  if (answer === undefined) return [];
  const { phoneNumber } = secrets;
  const hasCountry = !E164.test(phoneNumber) || readNumber(phoneNumber).country !== undefined;
  const errors = causesOf(answer.body, hasCountry);
  // The hook answers with an error only if each attempt was refused, so that no message left.
  const isRefused = errors.some(({ text }) => text.startsWith('Refused by '));
  const summary = isRefused ? [{ text: 'Nothing was sent', remedy: undefined }] : [];
  return [...summary, ...errors, ...notesIn(answer.body, hasCountry)].map(({ text, remedy }) => ({
    text: maskForOutput(text, secrets),
    remedy,
  }));
}

function showAnswer(body: unknown, secrets: PersonalFields, terminal: Terminal): void {
  if (typeof body === 'string') {
    const text = maskForOutput(body.slice(0, 200), secrets);
    terminal.say(body === '' ? '  empty: not JSON' : `  not JSON: ${text}`);
    return;
  }
  const command = commandOf(body);
  const fields = Object.entries({
    status: textFieldOf(command, 'status'),
    provider: textFieldOf(command, 'provider'),
    providers: describeList(body),
    transaction: textFieldOf(command, 'transactionId'),
    metadata: textFieldOf(command, 'transactionMetadata'),
    error: textFieldOf(body, 'error', 'errorSummary'),
  });
  terminal.sayTable(
    fields.flatMap(([name, text]) =>
      text === undefined ? [] : [[name, maskForOutput(text, secrets)] as const],
    ),
  );
}

const BAR_WIDTH = 30;

/** The time in relation to Okta's three seconds, at a terminal with a bar. */
function timeOf(durationMs: number, via: 'okta' | 'gateway', terminal: Terminal): string {
  const filled = Math.min(BAR_WIDTH, Math.max(1, Math.round((durationMs / OKTA_WAITS_MS) * BAR_WIDTH)));
  const bar = terminal.hasSymbols ? `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ` : '';
  const share = via === 'okta' ? ", including Okta's own time and its second try, if there was one" : '';
  return `${bar}${Math.round(durationMs)} ms of ${OKTA_WAITS_MS}${share}`;
}

/** One error or block that the hook's answer names. The remedy is that of the log, found by the code in the answer. */
export interface AnswerCause {
  /** In the words of the hook: `63016: Free text outside …`. */
  readonly text: string;
  /** `undefined` for an unknown code. */
  readonly remedy: string | undefined;
}

/** The causes in the error object of an answer. @param hasCountry - whether the country of the number is known. */
export function causesOf(body: unknown, hasCountry = true): readonly AnswerCause[] {
  return asList(fieldOf(body, 'error', 'errorCauses')).map((cause) => {
    const summary = textFieldOf(cause, 'errorSummary') ?? '';
    const reason = textFieldOf(cause, 'reason') ?? '';
    const provider = textFieldOf(cause, 'domain') ?? '';
    const [code = ''] = reason.split(':', 1);
    return {
      text: [summary, reason].filter((text) => text !== '').join(' – '),
      remedy: remedyFor(code, provider, hasCountry),
    };
  });
}

/** The causes in the metadata of a success: channels that refused, and a guard that blocked the code. */
export function notesIn(body: unknown, hasCountry = true): readonly AnswerCause[] {
  const command = commandOf(body);
  const pairs = metadataIn(command);
  const refused = (pairs.get('refused') ?? '').split(',').filter((one) => one !== '');
  const causes = refused.map((one) => {
    const [channel, code] = splitOnce(one, ':');
    // The metadata do not name the provider. A code of five digits is one of Twilio's.
    const twilio = twilioRefusal(code);
    const meaning = twilio === undefined ? '' : `: ${twilio.reason}`;
    return { text: `${channel} was refused with ${code}${meaning}`, remedy: remedyFor(code, 'TWILIO') };
  });
  if (!isBlocked(body)) return causes;
  const blocked = pairs.get('blocked');
  const remedy = remedyFor(blocked ?? '', '', hasCountry);
  return [...causes, { text: `Nothing was sent: ${describeBlock(blocked)}`, remedy }];
}

const metadataIn = (command: unknown): ReadonlyMap<string, string> =>
  new Map((textFieldOf(command, 'transactionMetadata') ?? '').split(';').map((pair) => splitOnce(pair, '=')));

/** Which providers the number got; empty if the channel has none by country. */
function providersIn(body: unknown): OfProviders {
  const pairs = metadataIn(commandOf(body));
  const [channel = '', list = ''] = [pairs.get('channel'), pairs.get('providers')];
  // Nothing else of an answer may come into the output as it is.
  const isList = CHANNEL_NAME.test(channel) && /^(?:default|[A-Z]{2})$/.test(list);
  return isList ? { providersOf: { [channel]: list } } : {};
}

function describeList(body: unknown): string | undefined {
  const found = providersIn(body);
  const [channel] = Object.keys(found.providersOf ?? {});
  return channel === undefined ? undefined : nameChannel(channel) + describeProviders(channel, found);
}

function describeBlock(code: string | undefined): string {
  if (code === undefined) return 'a fraud filter blocked it';
  return code === REFUSALS.SUPERSEDED.code ? 'the user has a newer code' : `the guard (${code}) blocked it`;
}

/**
 * Whether the guard, a fraud filter or a newer code has blocked the code. Then nothing was sent, although the answer has a
 * status with which Okta waits for the code.
 */
export function isBlocked(body: unknown): boolean {
  return textFieldOf(commandOf(body), 'provider') === 'GUARD';
}

/** The value of the first command in an answer. */
export function commandOf(body: unknown): unknown {
  const [command] = asList(fieldOf(body, 'commands'));
  return asList(fieldOf(command, 'value'))[0];
}

function remedyFor(code: string, provider: string, hasCountry = true): string | undefined {
  if (Object.hasOwn(REFUSALS, code)) return REFUSALS[code as keyof typeof REFUSALS].remedy;
  const block = remedyForBlock(code, hasCountry);
  return block ?? (provider.startsWith('TWILIO') ? twilioRefusal(code)?.remedy : undefined);
}

function twilioRefusal(code: string): ReturnType<typeof describeRefusal> | undefined {
  const status = /^HTTP_(\d{3})$/.exec(code)?.[1];
  if (status !== undefined) return describeRefusal(undefined, Number(status));
  return /^\d{5,6}$/.test(code) ? describeRefusal(Number(code), 400) : undefined;
}

function splitOnce(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + at.length)];
}

/** The next steps for the user, unless the code was sent. */
export function nextSteps({ answer, problem, reaction }: PreviewResult, isOAuth: boolean): readonly string[] {
  if (reaction?.action === 'sent') return [];
  if (reaction?.action === 'pending') {
    // `notesIn` has the remedy of a blocked code.
    if (isBlocked(answer?.body)) return [];
    return [
      "Look at the phone: it is unknown whether the message went out. The gateway's log says why (docs/run/troubleshooting.md: Okta gets PENDING).",
    ];
  }
  if (problem !== undefined) return STEPS[problem.code];
  const status = answer?.httpStatus;
  return [...statusSteps(status, isOAuth), isRejection(status) ? READ_REJECTION : READ_LOG];
}

const STEPS: Readonly<Record<SendProblem, readonly string[]>> = {
  UNREACHED: ['Check that PUBLIC_URL is right, that the gateway runs, and that it can be reached from here.'],
  NO_ANSWER: [`Look at the phone, at the gateway's log, and at the proxies in front of it. ${MAY_BE_SENT}`],
  TOO_LATE: [
    `Find out what takes the time: the hook answers within deadlineMs (2.2 s by default), and the rest is the network or a proxy. ${MAY_BE_SENT}`,
  ],
  NO_SUCCESS: [
    `Look at the phone first: Okta may have called the hook twice. ${MAY_BE_SENT} If the gateway rejected Okta with 401 or 403 (caller.rejected in its log), nothing was sent.`,
    'Then run preview with --via gateway, which shows the answer itself. It sends another message.',
    "If the gateway accepts that call, Okta has another secret (okta-telephony-hook setup hook --rotate) or does not reach the gateway: check the hook's URL, its certificate, firewalls.",
  ],
};

const READ_LOG =
  "The gateway's log has details in the lines with this event id (request.answered, with its remedy).";

/** The gateway has not read the event id of a caller that it does not accept. */
const READ_REJECTION = "The gateway's log has caller.rejected, with what to compare, within a minute.";

const isRejection = (status: number | undefined): boolean => status === 401 || status === 403;

function statusSteps(status: number | undefined, isOAuth: boolean): readonly string[] {
  if (status === undefined || status === 200) return [];
  if (isRejection(status)) {
    return [
      isOAuth
        ? 'The gateway does not accept the token: compare issuer, audience, client id and scope of its credentials.hook with the variables HOOK_OAUTH_….'
        : 'The gateway does not accept HOOK_SECRET: it must be one of its credentials.hook.secrets, in the same header (--header names another one).',
    ];
  }
  if (status >= 300 && status < 400) return ['Okta follows no redirect: set PUBLIC_URL to its target.'];
  if (status === 404 || status === 405) {
    return [`There is no hook at PUBLIC_URL. ${FIX_NOT_FOUND}`];
  }
  return status >= 500 ? ['Try again later: the gateway is starting, stopping or has a problem.'] : [];
}
