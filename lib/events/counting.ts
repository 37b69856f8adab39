import type { HookEvent, HookEventListener, HookEventOf, HookEventType } from '../core/events.js';
import { countryLabel, NONE, requestTypeLabel, type LabelValues } from './metric-labels.js';
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
    'readiness.failed': countOnce,
    'state.warned': countOnce,
    // The events that follow these are counted.
    'request.received': ignore,
    'channels.planned': ignore,
    'okta.resumed': ignore,
    'state.recovered': ignore,
    // It says that codes_used_total is too low.
    'uses.skipped': ignore,
  };
  // The function for a type takes events of that type, which the compiler cannot follow.
  return (event) => {
    (table[event.type] as (event: HookEvent) => void)(event);
  };
}
