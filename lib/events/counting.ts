import type { HookEventListener, HookEventOf } from '../core/events.js';
import { countryLabel, NONE, requestTypeLabel, type LabelValues } from './metric-labels.js';
import type { Instruments } from './metric-table.js';

/** Which metrics each event counts in. */

const MS_PER_SECOND = 1000;

export function countEvents(instruments: Instruments, labels: LabelValues): HookEventListener {
  const { stageDuration } = instruments;
  const observe = (stage: 'profile' | 'attempt' | 'call', channel: string, durationMs: number): void => {
    stageDuration.observe({ stage, channel }, durationMs / MS_PER_SECOND);
  };

  const countAnswer = (event: HookEventOf<'request.answered'>): void => {
    const { outcome } = event;
    // A repeat sends nothing, so its duration is not that of a code.
    if (event.isRepeat) {
      instruments.repeats.inc({ outcome });
      return;
    }
    // Previews and tests are not sign-ins.
    if (event.isPreview) {
      instruments.previews.inc({ outcome });
      return;
    }
    const channel = labels.channel(event.channel);
    const country = countryLabel(event.country);
    instruments.codes.inc({ channel, outcome, country, request_type: requestTypeLabel(event.requestType) });
    observe('call', NONE, event.durationMs);
    instruments.budgetLeft.observe({}, event.remainingMs / MS_PER_SECOND);
  };

  const countFailover = (event: HookEventOf<'failover.ended'>): void => {
    const { fromChannel, cause, channel, provider, outcome, code } = event;
    const from = labels.channel(fromChannel);
    instruments.lateFailovers.inc({
      from_channel: from,
      cause: labels.code(cause.code, `status ${from}`),
      channel: labels.channel(channel),
      outcome,
      code: labels.code(code, labels.provider(provider)),
    });
  };

  return (event) => {
    switch (event.type) {
      case 'request.answered':
        countAnswer(event);
        return;
      case 'attempt.ended': {
        const attempt = labels.attempt(event);
        instruments.attempts.inc(attempt);
        // An attempt that was not made has no duration.
        if (event.code !== 'BREAKER_OPEN') observe('attempt', attempt.channel, event.durationMs);
        return;
      }
      case 'attempt.settled':
        instruments.lateResults.inc(labels.attempt(event));
        return;
      case 'failover.ended':
        countFailover(event);
        return;
      case 'guard.blocked':
        instruments.guardBlocks.inc({
          rule: event.rule,
          mode: 'enforce',
          country: countryLabel(event.country),
        });
        return;
      case 'guard.noticed':
        instruments.guardBlocks.inc({
          rule: event.rule,
          mode: 'record',
          country: countryLabel(event.country),
        });
        return;
      case 'code.used':
        instruments.codesUsed.inc({
          channel: labels.channel(event.channel),
          country: countryLabel(event.country),
        });
        return;
      case 'message.reported': {
        const channel = labels.channel(event.channel);
        const status = labels.word(event.status, 'status');
        instruments.messageStatuses.inc({
          channel,
          report: event.report,
          status,
          code: labels.code(event.code, `status ${channel}`),
        });
        return;
      }
      case 'inbound.received':
        instruments.inboundMessages.inc({
          channel: labels.channel(event.channel),
          keyword: event.keyword ?? NONE,
        });
        return;
      case 'profile.read':
        instruments.profileReads.inc({ source: event.source, reason: labels.word(event.reason, 'profile') });
        observe('profile', NONE, event.durationMs);
        return;
      case 'okta.paused':
        instruments.oktaPauses.inc({ reason: event.reason });
        return;
      case 'state.lost':
        instruments.stateLosses.inc({});
        return;
      case 'breaker.changed':
        // From `half-open`, too: the host was tried again and did not answer.
        if (event.state === 'open') instruments.breakerOpenings.inc({ host: event.host });
        return;
      case 'caller.rejected':
        instruments.rejectedCalls.inc({ code: labels.word(event.reason, 'rejection') }, event.count);
        return;
      case 'request.rejected':
        instruments.rejectedCalls.inc({ code: labels.word(event.code, 'rejection') }, event.count);
        return;
      case 'probe.rejected':
        instruments.rejectedCalls.inc({ code: 'probe' }, event.count);
        return;
      case 'extension.failed':
      case 'feedback.failed':
      case 'callback.unmatched':
        instruments.warnings.inc({ event: event.type }, event.count);
        return;
      case 'callbacks.missing':
      case 'clock.skewed':
      case 'configuration.warned':
      case 'readiness.failed':
      case 'state.warned':
        instruments.warnings.inc({ event: event.type });
        return;
      // The events that follow these are counted instead.
      case 'request.received':
      case 'channels.planned':
      case 'okta.resumed':
      case 'state.recovered':
    }
  };
}
