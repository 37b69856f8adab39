import type { Logger } from '../core/channel.js';
import type { BreakerState, HookEvent, HookEventListener, OptionWarning } from '../core/events.js';
import type { Extension } from '../core/extensions.js';
import type { LogLevel } from './log-output.js';

interface Line {
  readonly level: LogLevel;
  readonly message: string;
}

/** Writes one line per hook call, and one for what an operator must know beside it. */
export function logListener(logger: Logger): HookEventListener {
  return (event) => {
    const line = lineFor(event);
    if (line === undefined) return undefined;
    return logger[line.level](`okta-telephony-hook: ${line.message}`, fieldsOf(event));
  };
}

function lineFor(event: HookEvent): Line | undefined {
  switch (event.type) {
    case 'request.answered':
      return answeredLine(event);
    case 'configuration.warned':
      return { level: 'warn', message: warningOf(event) };
    case 'attempt.late':
      return {
        level: event.outcome === 'accepted' ? 'info' : 'warn',
        message: 'a send ended after the answer',
      };
    case 'caller.rejected':
      return {
        level: 'warn',
        message: `callers could not prove to be Okta; compare with the ${event.hook} hook in Okta: ${proofsOf(event.schemes)}`,
      };
    case 'request.rejected':
      return { level: 'warn', message: rejectionOf(event.code) };
    case 'clock.skewed':
      return {
        level: 'warn',
        message: "Okta's clock and this machine's differ; check its time synchronisation",
      };
    case 'guard.blocked':
      return {
        level: 'warn',
        message:
          event.isOtherNumber === true
            ? `the guard ${event.mode === 'enforce' ? 'blocks' : 'would block'} the number of the profile; no code is held back`
            : event.mode === 'enforce'
              ? 'the guard held a code back'
              : "the guard would have held a code back; it is sent, for guard.mode is 'record'",
      };
    case 'okta.paused':
      return {
        level: 'warn',
        message:
          "Okta's rate limit is nearly used up; users are not looked up for a while, codes still go out",
      };
    case 'extension.failed':
      return {
        level: 'warn',
        message: failureOfExtension(event.extension),
      };
    case 'state.lost':
      return {
        level: 'error',
        message:
          'the state that gateways share is lost; codes go out, and repeats and limits count within this process until it is back',
      };
    case 'state.recovered':
      return { level: 'info', message: 'the state that gateways share is back' };
    case 'state.warned':
      return { level: 'warn', message: 'the state that gateways share works, but not as well as it could' };
    case 'breaker.changed':
      return BREAKER_LINES[event.state];
    case 'message.status':
      return event.status === 'failed' || event.status === 'undelivered'
        ? { level: 'warn', message: 'an accepted message was not delivered' }
        : undefined;
    case 'callbacks.missing':
      return {
        level: 'warn',
        message:
          "Twilio's delivery callbacks do not come; WhatsApp messages are asked for instead, for as many as there is room, and failures of others are not seen",
      };
    case 'inbound.received':
      return inboundLine(event);
    case 'failover.ended':
      return failoverLine(event);
    case 'message.unknown':
      return {
        level: 'warn',
        message:
          'a callback is about a message that this process did not send, or has forgotten; several gateways need one state that they share, redisState of okta-telephony-hook/redis: until then run one, or lead callbacks to the gateway that sent',
      };
    case 'feedback.failed':
      return { level: 'warn', message: 'a provider could not be told that its code was used' };
    case 'uses.skipped':
      return {
        level: 'warn',
        message:
          'Okta told of more codes that were used than could be followed; these are not counted, and no provider is told of them',
      };
    case 'code.used':
      return { level: 'info', message: 'a code was used' };
    // Their facts are in the line of the call.
    case 'request.received':
    case 'request.repeated':
    case 'profile.read':
    case 'channels.planned':
    case 'attempt.ended':
      return undefined;
  }
}

/** What else people write says nothing of a code. */
function inboundLine({
  keyword,
  channel,
  from,
}: Extract<HookEvent, { type: 'inbound.received' }>): Line | undefined {
  if (channel === 'sms') return undefined;
  if (keyword !== 'stop' && keyword !== 'start') return undefined;
  const said = `a user said ${keyword.toUpperCase()} on ${channel === 'rcs' ? 'RCS' : 'WhatsApp'}`;
  if (from === undefined)
    return {
      level: 'info',
      message: `${said}, whose number is hidden: it takes effect once a message tells it`,
    };
  // Twilio sends by RCS what goes out as SMS.
  const where = channel === 'rcs' ? 'by SMS' : 'there';
  const effect = keyword === 'stop' ? `gets no codes ${where}` : `gets codes ${where} again`;
  return { level: 'info', message: `${said}, and ${effect}` };
}

const BREAKER_LINES: Readonly<Record<BreakerState, Line>> = {
  closed: { level: 'info', message: 'a host answers again' },
  open: {
    level: 'warn',
    message: 'a host does not answer, and is not called for a moment; codes do not wait for it',
  },
  'half-open': { level: 'info', message: 'a host is tried again with one call' },
};

function rejectionOf(code: string): string {
  return code === 'BAD_SIGNATURE'
    ? "a delivery callback or an inbound message was rejected, for it does not bear Twilio's signature: compare publicUrl and credentials.twilio.authToken with what Twilio has (the account's own auth token, not an API key's secret)"
    : 'a request was rejected';
}

function failureOfExtension(extension: Extension): string {
  switch (extension) {
    case 'rollout':
      return 'rollout failed; the percentages that it last gave stay in force';
    case 'authorize':
      return "the console's authorize failed, and nobody was let in";
    default:
      return `${extension} failed; went on without it`;
  }
}

/** What both sides must have alike, by the kind of authentication. */
const PROOFS = {
  header: "the header's name and the secret",
  basic: 'the user name and the password',
  oauth2: 'the issuer, the audience, the client and the scope of its access tokens',
} as const;

function proofsOf(schemes: readonly (keyof typeof PROOFS)[]): string {
  return [...new Set(schemes)].map((scheme) => PROOFS[scheme]).join('; or ');
}

function warningOf({ option, where }: OptionWarning): string {
  const places = where.join(', ');
  switch (option) {
    case 'publicUrl':
      return 'WhatsApp without publicUrl: messages that Twilio accepts and then cannot deliver are seen by polling only, late and not all of them; set publicUrl and credentials.twilio.authToken';
    case 'publicUrl.path':
      return "publicUrl.path: publicUrl does not end with path; Twilio's callbacks go to publicUrl + /twilio/status, and may not reach the hook";
    case 'credentials.hook':
    case 'credentials.eventHook':
      return `${places}: less than 16 characters: who guesses it can make you send messages; use a long random one`;
    case 'channels':
      return `${places}: no user can choose it; add it to optInChannels, or give chooseChannels`;
    case 'lateFailover.afterSeconds':
      return `${places}: the channel does not report what was delivered, so that it has no effect there`;
    case 'texts.sms':
      return `${places}: when it is filled in, it leaves one GSM-7 segment of an SMS; the remedy says by what`;
    case 'texts.voice':
      return `${places}: an English voice of Twilio's would read it, for none is known here that speaks its language`;
    default:
      return `${places}: a SID of Twilio's is two letters and 32 hexadecimal digits; compare it with the Twilio Console`;
  }
}

/** Nobody misses a code that these dropped. */
const NOT_MISSED: ReadonlySet<string> = new Set(['OVERTAKEN', 'DELIVERED']);

function failoverLine({ outcome, code }: Extract<HookEvent, { type: 'failover.ended' }>): Line {
  switch (outcome) {
    case 'accepted':
      return { level: 'info', message: 'a code that did not arrive was sent by the next channel' };
    case 'unknown':
      return { level: 'warn', message: 'a code that did not arrive may have been sent by the next channel' };
    case 'refused':
      return { level: 'warn', message: 'a code that did not arrive could not be sent by another channel' };
    case 'dropped':
      return NOT_MISSED.has(code ?? '')
        ? { level: 'info', message: 'a code did not arrive, and nothing more was sent' }
        : { level: 'warn', message: 'a code did not arrive, and nothing more could be sent' };
  }
}

/** These do not mend themselves, and turn every opt-in off. */
const NO_ACCESS: ReadonlySet<string> = new Set(['OKTA_UNAUTHORIZED', 'OKTA_FORBIDDEN']);

type Answered = Extract<HookEvent, { type: 'request.answered' }>;

function answeredLine(event: Answered): Line {
  switch (event.status) {
    case 'SUCCESSFUL':
      if (NO_ACCESS.has(event.profileReason ?? '')) {
        return {
          level: 'warn',
          message:
            'a code was sent by the channel that Okta asked for, for Okta does not let us read users; check credentials.okta',
        };
      }
      return {
        level: 'info',
        message: event.isRepeat ? 'a repeat was answered as the first' : 'a code was sent',
      };
    case 'PENDING':
      return { level: 'warn', message: pendingMessage(event) };
    case 'ERROR':
      return { level: 'error', message: 'no code was sent; Okta may send it itself' };
  }
}

/** Whether a code may be on its way: only what was refused certainly is not. */
function pendingMessage({ isRepeat, code, attempts }: Answered): string {
  // It tells what the first one was answered, not why.
  if (isRepeat) return 'a repeat was answered as the first: a code may have been sent, or was held back';
  if (code === 'OVERTAKEN') return 'a newer code was requested; nothing more is sent of this one';
  const last = attempts.at(-1);
  if (last === undefined && code !== undefined) return 'the guard held the code back; nothing was sent';
  return last?.outcome === 'refused'
    ? "a provider's fraud filter held the code back; nothing was sent"
    : 'a code may have been sent; Okta sends none itself';
}

/** What a line tells beside its message. A log has times of its own. */
function fieldsOf({ type, at, ...fields }: HookEvent): Readonly<Record<string, unknown>> {
  // First what to look for.
  return 'userId' in fields ? { event: type, userId: fields.userId, ...fields } : { event: type, ...fields };
}
