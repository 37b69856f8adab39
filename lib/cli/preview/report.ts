import { maskNumber } from '../../core/masking.js';
import { textFieldOf } from '../../core/json.js';
import type { HookCall } from '../../okta/inline-hook.js';
import { OKTA_WAITS_MS } from '../../okta/reaction.js';
import { maskValue, tellable, type CallSecrets } from './masked-call.js';
import { asidesOf, causesOf, commandOf, type ToldCause } from './remedies.js';
import type { Sent } from './send.js';
import type { Terminal } from '../terminal.js';

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
  sent: Sent,
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
  readonly problem: Sent['problem'];
  readonly reaction: NonNullable<Sent['reaction']> | null;
  readonly durationMs: number;
}

/** What is told of it, masked. */
export function toldSent({ answer, problem, durationMs, reaction }: Sent, secrets: CallSecrets): ToldSent {
  return {
    answer:
      answer === undefined ? null : { httpStatus: answer.httpStatus, body: maskValue(answer.body, secrets) },
    problem,
    reaction: reaction === undefined ? null : toldReaction(reaction, secrets),
    durationMs: Math.round(durationMs),
  };
}

function toldReaction(
  { action, text, shown }: NonNullable<Sent['reaction']>,
  secrets: CallSecrets,
): NonNullable<Sent['reaction']> {
  return { action, text, shown: shown === undefined ? undefined : tellable(shown, secrets) };
}

/** Everything that the answer says beside its status, with what to do about it. */
export function causesIn({ answer }: Sent, secrets: CallSecrets): readonly ToldCause[] {
  if (answer === undefined) return [];
  return [...causesOf(answer.body), ...asidesOf(answer.body)].map(({ text, remedy }) => ({
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
