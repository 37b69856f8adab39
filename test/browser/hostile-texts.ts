import type { HookEvent } from '#lib/core/events.js';
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
  const oktaRequestId = hostile('oktaRequestId');
  const userId = hostile('userId');
  const ofCall = { eventId: id, oktaRequestId, userId };
  const toEnding = hostile('toEnding');
  const request = {
    requestType: hostile('requestType'),
    deliveryChannel: 'sms' as const,
    userId,
    toEnding,
    isPreview: false,
  };
  const channel = hostile('channel');
  const provider = hostile('provider');
  const refused = {
    channel,
    provider: 'A',
    outcome: 'refused' as const,
    code: hostile('code'),
    reason: hostile('reason'),
    remedy: hostile('remedy'),
    durationMs: 40,
  };
  const accepted = {
    channel,
    provider,
    outcome: 'accepted' as const,
    transactionId: hostile('transactionId'),
    providerRequestId: hostile('providerRequestId'),
    durationMs: 40,
  };
  const steps: readonly HookEvent[] = [
    { type: 'request.received', at: now, ...ofCall, ...request },
    {
      type: 'profile.read',
      at: now + 10,
      source: 'none',
      reason: hostile('profileReason'),
      durationMs: 9,
      ...ofCall,
    },
    {
      type: 'channels.planned',
      at: now + 20,
      channels: [channel],
      // A newer gateway may send other reasons.
      skipped: [{ channel: hostile('skipped'), reason: hostile('skippedReason') as 'STOPPED' }],
      ...ofCall,
    },
    { type: 'attempt.ended', at: now + 60, ...refused, ...ofCall, userId, toEnding },
    { type: 'attempt.ended', at: now + 100, ...accepted, ...ofCall, userId, toEnding },
    {
      type: 'extension.failed',
      at: now + 101,
      count: 1,
      extension: 'composeText',
      reason: hostile('extension'),
      remedy: hostile('extensionRemedy'),
      ...ofCall,
    },
    {
      type: 'message.reported',
      at: now + 900,
      channel,
      transactionId: 'x',
      report: 'failed',
      status: hostile('status'),
      code: undefined,
      reason: undefined,
    },
    {
      type: 'failover.ended',
      at: now + 1000,
      ...ofCall,
      fromChannel: channel,
      cause: { code: hostile('cause'), reason: undefined, remedy: undefined },
      userId,
      toEnding,
      outcome: 'dropped',
      channel: undefined,
      provider: undefined,
      code: undefined,
      reason: hostile('dropped'),
      remedy: undefined,
      transactionId: undefined,
      attempts: [],
    },
  ];
  const execution = {
    ...plantExecution(0, now, { steps, oktaRequestId, userId, toEnding }),
    id,
    requestType: request.requestType,
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
