import type { HookEvent } from '#lib/core/events.js';
import { eventsOf } from '../events/sample-events.js';
import { plantExecution, plantHealth } from './planted.js';
import { startStandIn, type StandIn } from './stand-in.js';

/**
 * A console with markup and script in each text that comes from outside: from Okta, a provider, a user or an option.
 *
 * @returns also the texts that the page must show.
 */
export async function hostileStandIn(): Promise<{
  readonly stood: StandIn;
  readonly texts: readonly string[];
}> {
  const texts: string[] = [];
  const hostile = (field: string): string => {
    const text = `"><img src=x onerror="alert('${field}')"><script>alert('${field}')</script>'`;
    texts.push(text);
    return text;
  };
  const now = Date.now();
  const id = hostile('id');
  const ofCall = {
    oktaRequestId: hostile('oktaRequestId'),
    userId: hostile('userId'),
    toEnding: hostile('toEnding'),
  };
  const requestType = hostile('requestType');
  const channel = hostile('channel');
  const refused = { code: hostile('code'), reason: hostile('reason'), remedy: hostile('remedy') };
  const accepted = {
    provider: hostile('provider'),
    transactionId: hostile('transactionId'),
    providerRequestId: hostile('providerRequestId'),
  };
  const of = eventsOf(id, now);
  const steps: readonly HookEvent[] = [
    of.received(0, { ...ofCall, requestType }),
    {
      type: 'profile.read',
      at: now + 10,
      source: 'none',
      reason: hostile('profileReason'),
      durationMs: 9,
      eventId: id,
      ...ofCall,
    },
    // A newer gateway may send other reasons.
    of.planned(
      20,
      [channel],
      [{ channel: hostile('skipped'), reason: hostile('skippedReason') as 'STOPPED' }],
    ),
    of.attempt(60, 'refused', { channel, ...refused }),
    of.attempt(100, 'accepted', { channel, ...accepted }),
    of.failed(101, { reason: hostile('extension'), remedy: hostile('extensionRemedy') }),
    of.status(900, 'x', 'failed', { channel, status: hostile('status') }),
    of.failover(1000, {
      fromChannel: channel,
      cause: { code: hostile('cause'), reason: undefined, remedy: undefined },
      outcome: 'dropped',
      channel: undefined,
      provider: undefined,
      reason: hostile('dropped'),
    }),
  ];
  const execution = {
    ...plantExecution(0, now, { steps, ...ofCall }),
    id,
    requestType,
    channel,
    code: hostile('summaryCode'),
  };
  const health = plantHealth(now);
  const stood = await startStandIn({
    executions: [execution],
    about: {
      version: hostile('version'),
      org: hostile('org'),
      hook: hostile('hook'),
      deadlineMs: 2500,
      channels: [hostile('channelOption')],
      isShared: false,
      isLearning: false,
      links: [{ title: hostile('link'), href: '../phones/' }],
    },
    health: {
      ...health,
      breakers: [{ host: hostile('host'), state: 'open', channels: [hostile('breakerChannel')] }],
      channels: [{ channel: hostile('healthChannel'), providers: [hostile('healthProvider')] }],
      limits: {
        ...health.limits,
        rules: [{ rule: hostile('rule'), points: 1, seconds: 1 }],
        countries: hostile('countries'),
      },
      deliveries: health.deliveries.map((tally) => ({
        ...tally,
        channel: hostile(`tally-${tally.channel}`),
      })),
    },
  });
  stood.made = { payload: { text: 'x' }, notes: [hostile('note')] };
  const body = `<img src=x onerror=alert(1)>`;
  texts.push(JSON.stringify(body));
  stood.tested = {
    executionId: id,
    httpStatus: 200,
    body: { body },
    durationMs: 100,
    deadlineMs: 2500,
    reaction: { action: 'error', text: hostile('reaction'), shown: hostile('shown') },
  };
  return { stood, texts };
}
