import type { HookEvent, HookEventListener, HookEventOf, HookEventType } from '../core/events.js';
import { isRequestType, shortRequestType } from '../core/request-types.js';
import { FALLBACK_CODES } from './describe-answer.js';
import type { Instruments } from './metric-table.js';

/** Which metrics each event counts in. */

const MS_PER_SECOND = 1000;

export function countEvents(metrics: Instruments, labels: LabelValues): HookEventListener {
  const observe = (stage: 'profile' | 'attempt' | 'call', channel: string, durationMs: number): void =>
    metrics.stage_duration_seconds.observe({ stage, channel }, durationMs / MS_PER_SECOND);
  const countRejection = (code: string, count: number): void =>
    metrics.rejected_calls_total.inc({ code: labels.word(code, 'rejection') }, count);
  const countEach = ({
    type,
    count,
  }: HookEventOf<'extension.failed' | 'feedback.failed' | 'callback.unmatched'>): void =>
    metrics.warnings_total.inc({ event: type }, count);
  const countOnce = ({ type }: HookEvent): void => metrics.warnings_total.inc({ event: type });
  const ignore = (): void => undefined;
  // Prometheus sees no increase of a series that begins with its first event, and one reason may have many events at once.
  for (const reason of FALLBACK_CODES) metrics.okta_fallbacks_total.inc({ reason }, 0);

  const table: { readonly [Type in HookEventType]: (event: HookEventOf<Type>) => void } = {
    'request.answered': (event) => {
      const { outcome } = event;
      // A repeat sends nothing, so its duration is not that of a code.
      if (event.isRepeat) {
        metrics.repeats_total.inc({ outcome });
        return;
      }
      // Previews and tests are not sign-ins.
      if (event.isPreview) {
        metrics.previews_total.inc({ outcome });
        return;
      }
      metrics.codes_total.inc({
        channel: labels.channel(event.channel),
        outcome,
        country: countryLabel(event.country),
        request_type: requestTypeLabel(event.requestType),
      });
      if (event.optIn !== undefined)
        metrics.opt_in_total.inc({ opt_in: event.optIn, channel: labels.channel(event.channel) });
      if (event.resendOf !== undefined)
        metrics.resends_total.inc({ channel: labels.channel(event.resendOfChannel) });
      observe('call', NONE, event.durationMs);
      metrics.budget_left_seconds.observe({}, event.remainingMs / MS_PER_SECOND);
    },
    'attempt.ended': (event) => {
      const attempt = labels.attempt(event);
      metrics.attempts_total.inc(attempt);
      // An attempt that was not made has no duration.
      if (event.code !== 'BREAKER_OPEN') observe('attempt', attempt.channel, event.durationMs);
    },
    'attempt.settled': (event) => metrics.late_results_total.inc(labels.attempt(event)),
    'failover.ended': ({ fromChannel, cause, channel, provider, outcome, code }) => {
      const from = labels.channel(fromChannel);
      metrics.late_failovers_total.inc({
        from_channel: from,
        cause: labels.code(cause.code, `status ${from}`),
        channel: labels.channel(channel),
        outcome,
        code: labels.code(code, labels.provider(provider)),
      });
    },
    'guard.blocked': ({ rule, country }) =>
      metrics.guard_blocks_total.inc({ rule, mode: 'enforce', country: countryLabel(country) }),
    'guard.noticed': ({ rule, country }) =>
      metrics.guard_blocks_total.inc({ rule, mode: 'record', country: countryLabel(country) }),
    'code.used': ({ channel, country }) =>
      metrics.codes_used_total.inc({ channel: labels.channel(channel), country: countryLabel(country) }),
    'message.reported': (event) => {
      const channel = labels.channel(event.channel);
      metrics.message_statuses_total.inc({
        channel,
        report: event.report,
        status: labels.word(event.status, 'status'),
        code: labels.code(event.code, `status ${channel}`),
      });
    },
    'inbound.received': ({ channel, keyword }) =>
      metrics.inbound_messages_total.inc({ channel: labels.channel(channel), keyword: keyword ?? NONE }),
    'profile.read': ({ source, reason, durationMs }) => {
      metrics.profile_reads_total.inc({ source, reason: labels.word(reason, 'profile') });
      observe('profile', NONE, durationMs);
    },
    'okta.fell-back': ({ code }) => metrics.okta_fallbacks_total.inc({ reason: code }),
    'okta.paused': ({ reason }) => metrics.okta_pauses_total.inc({ reason }),
    'state.lost': () => metrics.state_losses_total.inc({}),
    'breaker.changed': ({ host, state }) => {
      // From `half-open`, too: the host was tried again and did not answer.
      if (state === 'open') metrics.breaker_openings_total.inc({ host });
    },
    'caller.rejected': ({ reason, count }) => countRejection(reason, count),
    'request.rejected': ({ code, count }) => countRejection(code, count),
    'probe.rejected': ({ count }) => metrics.rejected_calls_total.inc({ code: 'probe' }, count),
    'extension.failed': countEach,
    'feedback.failed': countEach,
    'callback.unmatched': countEach,
    'callbacks.missing': countOnce,
    'clock.skewed': countOnce,
    'configuration.warned': countOnce,
    'guard.blind': countOnce,
    'readiness.failed': countOnce,
    'state.warned': countOnce,
    // The events that follow these are counted.
    'request.received': ignore,
    'channels.planned': ignore,
    'okta.resumed': ignore,
    'state.recovered': ignore,
    'guard.recovered': ignore,
    'guard.lifted': ignore,
    // It says that codes_used_total is too low.
    'uses.skipped': ignore,
  };
  // The function for a type takes events of that type, which the compiler cannot follow.
  return (event) => {
    (table[event.type] as (event: HookEvent) => void)(event);
  };
}

/**
 * The values of labels. Each value makes a time series that stays, so there are few, and none identifies a user. Most are our
 * own words; the functions here check the others.
 */

/** There is no value. */
const NONE = 'none';
/** There are too many values already, or the value is not a word. */
const OTHER = 'other';
const UNKNOWN = 'unknown';

/** Codes have short numbers. Longer ones may be ids, phone numbers or one-time codes, which must not become labels. */
const WORD = /^(?!.*\d{7})[A-Za-z0-9][\w.:-]{0,39}$/;

const MAX_WORDS = 32;
/** Twilio's table has some sixty codes, of which an account gets a few. */
const MAX_CODES = 64;

/** Checks values that come from outside: channels and providers from the options, codes from providers, other words from callers. */
export class LabelValues {
  readonly #lists = new Map<string, Set<string>>();

  channel(name: string | undefined): string {
    return this.word(name, 'channel');
  }

  provider(name: string | undefined): string {
    return this.word(name, 'provider');
  }

  /** @param of - the provider: each has its own limit, so that one with many codes does not use up the others'. */
  code(code: string | undefined, of: string): string {
    return this.word(code, `code of ${of}`, MAX_CODES);
  }

  /** Lets a limited number of words pass, in the order in which they come. Each list has its own limit. */
  word(word: string | undefined, list: string, max = MAX_WORDS): string {
    if (word === undefined) return NONE;
    const known = this.#lists.get(list) ?? new Set();
    this.#lists.set(list, known);
    if (known.has(word)) return word;
    if (known.size >= max || !WORD.test(word)) return OTHER;
    known.add(word);
    return word;
  }

  /** The four labels of an attempt. */
  attempt({ channel, provider, outcome, code }: HookEventOf<'attempt.ended' | 'attempt.settled'>) {
    const by = this.provider(provider);
    return { channel: this.channel(channel), provider: by, outcome, code: this.code(code, by) };
  }
}

/** ISO 3166. The state may hold something else, written by a gateway of another version. */
export function countryLabel(country: string | undefined): string {
  return country !== undefined && /^[A-Z]{2}$/.test(country) ? country : UNKNOWN;
}

/** The last part of Okta's own types. */
function requestTypeLabel(requestType: string | undefined): string {
  if (requestType === undefined) return UNKNOWN;
  const short = shortRequestType(requestType);
  return isRequestType(short) ? short : OTHER;
}
