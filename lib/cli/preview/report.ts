import { maskNumber } from '../../core/masking.js';
import { textFieldOf, asList, fieldOf } from '../../core/json.js';
import type { HookCall } from '../../okta/inline-hook.js';
import { OKTA_WAITS_MS } from '../../okta/reaction.js';
import { maskValue, tellable, type CallSecrets } from './masked-call.js';
import { type PreviewResult, MAY_BE_SENT } from './send.js';
import type { Terminal } from '../terminal.js';
import { remedyForBlock } from '../../guard/limits.js';
import { REFUSALS } from '../../okta/refusals.js';
import { describeRefusal } from '../../channels/twilio/refusals.js';

/** What people are shown of a preview, before it is sent and after. */

/** The call, as it stands before it is sent: to whom, and by which way. */
export function showCall(
  call: HookCall,
  parts: {
    readonly way: string;
    /** Whether the code is of this run, and nobody's. */
    readonly isMadeUp: boolean;
    readonly secrets: CallSecrets;
    readonly terminal: Terminal;
  },
): void {
  const { way, isMadeUp, secrets, terminal } = parts;
  const { request } = call;
  const isText = request.deliveryChannel === 'sms';
  const number = maskNumber(secrets.phoneNumber);
  const user = tellable(request.userId ?? 'nobody whom Okta knows', secrets);
  terminal.say(
    `This sends a real ${isText ? 'message' : 'call'} to the phone ${number} of the user ${user}.`,
    'bold',
  );
  showTable(terminal, [
    ['request', tellable(request.requestType ?? 'of no kind', secrets)],
    ['asked for', isText ? 'SMS (who has opted in gets it by another channel)' : 'a voice call'],
    [
      'code',
      isMadeUp
        ? 'made up for this and not shown here: it opens nothing'
        : 'that of the payload, not shown here: a real one opens what it is for',
    ],
    ['event', tellable(request.eventId, secrets)],
    ['way', way],
  ]);
}

/** The answer, what Okta does with it, and the time that it took. */
export function showSent(
  sent: PreviewResult,
  parts: { readonly via: 'okta' | 'gateway'; readonly secrets: CallSecrets; readonly terminal: Terminal },
): void {
  const { via, secrets, terminal } = parts;
  const { answer, problem, durationMs, reaction } = sent;
  const action = reaction?.action;
  const [mark, colour] =
    action === 'sent'
      ? (['✔', 'green'] as const)
      : action === 'pending'
        ? (['!', 'yellow'] as const)
        : (['✘', 'red'] as const);
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
    terminal.say(`  The user may read: “${tellable(reaction.shown, secrets)}”`);
  }
}

/** The same for programs. */
export interface ToldSent {
  readonly answer: { readonly httpStatus: number; readonly body: unknown } | null;
  readonly problem: PreviewResult['problem'];
  readonly reaction: NonNullable<PreviewResult['reaction']> | null;
  readonly durationMs: number;
}

/** What is told of it, masked. */
export function toldSent(
  { answer, problem, durationMs, reaction }: PreviewResult,
  secrets: CallSecrets,
): ToldSent {
  return {
    answer:
      answer === undefined ? null : { httpStatus: answer.httpStatus, body: maskValue(answer.body, secrets) },
    problem,
    reaction: reaction === undefined ? null : toldReaction(reaction, secrets),
    durationMs: Math.round(durationMs),
  };
}

function toldReaction(
  { action, text, shown }: NonNullable<PreviewResult['reaction']>,
  secrets: CallSecrets,
): NonNullable<PreviewResult['reaction']> {
  return { action, text, shown: shown === undefined ? undefined : tellable(shown, secrets) };
}

/** Everything that the answer says beside its status, with what to do about it. */
export function causesIn({ answer }: PreviewResult, secrets: CallSecrets): readonly ToldCause[] {
  if (answer === undefined) return [];
  return [...causesOf(answer.body), ...notesIn(answer.body)].map(({ text, remedy }) => ({
    text: tellable(text, secrets),
    remedy,
  }));
}

function showAnswer(body: unknown, secrets: CallSecrets, terminal: Terminal): void {
  if (typeof body === 'string') {
    terminal.say(
      `  no JSON${body === '' ? ', and nothing else' : `: ${tellable(body.slice(0, 200), secrets)}`}`,
    );
    return;
  }
  const command = commandOf(body);
  const rows = (
    [
      ['status', textFieldOf(command, 'status')],
      ['provider', textFieldOf(command, 'provider')],
      ['transaction', textFieldOf(command, 'transactionId')],
      ['metadata', textFieldOf(command, 'transactionMetadata')],
      ['error', textFieldOf(body, 'error', 'errorSummary')],
    ] as const
  ).flatMap(([name, text]): [string, string][] =>
    text === undefined ? [] : [[name, tellable(text, secrets)]],
  );
  showTable(terminal, rows);
}

function showTable(terminal: Terminal, rows: readonly (readonly [string, string])[]): void {
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, text] of rows) terminal.say(`  ${name.padEnd(width)}  ${text}`);
}

const BAR_WIDTH = 30;

/** The time beside the three seconds, with a bar where one can be drawn. */
function timeOf(durationMs: number, via: 'okta' | 'gateway', terminal: Terminal): string {
  const filled = Math.min(BAR_WIDTH, Math.max(1, Math.round((durationMs / OKTA_WAITS_MS) * BAR_WIDTH)));
  const bar = terminal.hasSymbols ? `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ` : '';
  const share =
    via === 'okta' ? ", Okta's own time with it and that of its second try, if there was one" : '';
  return `${bar}${Math.round(durationMs)} ms of ${OKTA_WAITS_MS}${share}`;
}

/** What to do about what a preview came to: the remedies are those of the log, found by the codes in the answer. */

/** One thing that an answer of our hook tells, with what to do about it where that is known. */
export interface ToldCause {
  /** As the hook has it: `63016: Free text outside …`. */
  readonly text: string;
  readonly remedy: string | undefined;
}

/** The causes of an error object. */
export function causesOf(body: unknown): readonly ToldCause[] {
  return asList(fieldOf(body, 'error', 'errorCauses')).map((cause) => {
    const summary = textFieldOf(cause, 'errorSummary') ?? '';
    const reason = textFieldOf(cause, 'reason') ?? '';
    const provider = textFieldOf(cause, 'domain') ?? '';
    const [code = ''] = reason.split(':', 1);
    return {
      text: [summary, reason].filter((text) => text !== '').join(' – '),
      remedy: remedyFor(code, provider),
    };
  });
}

/** What the metadata of a success tells: channels that refused before, and a guard that held the code back. */
export function notesIn(body: unknown): readonly ToldCause[] {
  const metadata = textFieldOf(commandOf(body), 'transactionMetadata') ?? '';
  const pairs = new Map(metadata.split(';').map((pair) => splitOnce(pair, '=')));
  const refused = (pairs.get('refused') ?? '').split(',').filter((one) => one !== '');
  const blocked = pairs.get('blocked');
  const isHeldBack = textFieldOf(commandOf(body), 'provider') === 'GUARD';
  return [
    ...refused.map((one) => {
      const [channel, code] = splitOnce(one, ':');
      // Which provider it was is not told: five digits are Twilio's.
      const twilio = twilioRefusal(code);
      const meaning = twilio === undefined ? '' : `: ${twilio.reason}`;
      return { text: `${channel} was refused with ${code}${meaning}`, remedy: remedyFor(code, 'TWILIO') };
    }),
    ...(isHeldBack
      ? [
          {
            text: `Nothing was sent: ${blocked === undefined ? 'a fraud filter' : `the guard (${blocked})`} held it back`,
            remedy: remedyFor(blocked ?? '', ''),
          },
        ]
      : []),
  ];
}

/** The first command's value. */
export function commandOf(body: unknown): unknown {
  const [command] = asList(fieldOf(body, 'commands'));
  return asList(fieldOf(command, 'value'))[0];
}

function remedyFor(code: string, provider: string): string | undefined {
  if (Object.hasOwn(REFUSALS, code)) return REFUSALS[code as keyof typeof REFUSALS].remedy;
  return remedyForBlock(code) ?? (provider.startsWith('TWILIO') ? twilioRefusal(code)?.remedy : undefined);
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

/** What comes next where the code is not known to be out. */
export function nextSteps({ answer, problem, reaction }: PreviewResult, isOAuth: boolean): readonly string[] {
  if (reaction?.action === 'sent') return [];
  if (reaction?.action === 'pending') {
    // What was held back is told with its own remedy.
    if (fieldOf(commandOf(answer?.body), 'provider') === 'GUARD') return [];
    return [
      "Look at the phone: nobody knows whether the message went out, and the gateway's log says why (TROUBLESHOOTING.md: Okta is told PENDING).",
    ];
  }
  switch (problem?.code) {
    case 'UNREACHED':
      return ['See that PUBLIC_URL is right, that the gateway runs, and that it can be reached from here.'];
    case 'NO_ANSWER':
      return [`Look at the phone, at the gateway's log, and at what stands before it. ${MAY_BE_SENT}`];
    case 'TOO_LATE':
      return [
        `Look at what takes the time: the hook's own answer comes within deadlineMs (2.2 s unless set), what is over that is the network's or a proxy's. ${MAY_BE_SENT}`,
      ];
    case 'NO_SUCCESS':
      return [
        `Look at the phone first: Okta may have called the hook twice. ${MAY_BE_SENT}`,
        'Then send it straight to the gateway with --via gateway, which sends another one: that shows the answer itself.',
        "Where the gateway takes it then, Okta has another secret (okta-telephony-hook setup hook --rotate) or does not reach the gateway: the hook's URL, its certificate, a firewall.",
      ];
    case undefined:
      return [...statusSteps(answer?.httpStatus, isOAuth), READ_LOG];
  }
}

const READ_LOG =
  "The gateway's log has more, in the lines of this event id (request.answered, with its remedy).";

function statusSteps(status: number | undefined, isOAuth: boolean): readonly string[] {
  if (status === undefined || status === 200) return [];
  if (status === 401 || status === 403) {
    return [
      isOAuth
        ? 'The gateway does not take the token: compare issuer, audience, client id and scope of credentials.hook there with the variables HOOK_OAUTH_….'
        : 'The gateway does not take HOOK_SECRET: it has to be one of credentials.hook.secrets there, in the same header (--header names another one).',
    ];
  }
  if (status >= 300 && status < 400) return ['Okta follows no redirect: make PUBLIC_URL where it leads to.'];
  if (status === 404 || status === 405) {
    return [
      "There is no hook at PUBLIC_URL: compare its path with the hook's option path, and what stands before it.",
    ];
  }
  return status >= 500 ? ['It may pass by itself: the gateway is starting, stopping or in trouble.'] : [];
}
