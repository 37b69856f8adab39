import { expect } from 'chai';
import { Counter, Registry } from 'prom-client';
import {
  ConfigurationError,
  type AttemptReport,
  type HookEvent,
  type HookEventOf,
  type MetricsRegistry,
} from '#lib/index.js';
import { COUNTERS, GAUGES, HISTOGRAMS, PREFIX, type MetricRow } from '#lib/events/metric-table.js';
import { createMetrics, type WatchedStatus } from '#lib/events/metrics.js';
import type { LearnStatus } from '#lib/guard/learning-guard.js';
import { readPage, type MetricsPage } from '#harness/metrics-page.js';
import { ANA, CODE } from '#harness/scene.js';
import { mustNotShow, witness } from '#harness/witness.js';
import { EVENTS, eventOf } from './sample-events.js';

const attempt = (over: Partial<AttemptReport> = {}): HookEventOf<'attempt.ended'> =>
  eventOf('attempt.ended', { outcome: 'refused', code: '21610', ...over });
const answered = (over?: Partial<HookEventOf<'request.answered'>>): HookEventOf<'request.answered'> =>
  eventOf('request.answered', over);

/** Events and what each adds: metric name, labels, and the amount if it is not 1. */
const COUNTED: readonly (readonly [HookEvent, string, Readonly<Record<string, string>>, number?])[] = [
  [
    answered(),
    'codes_total',
    { channel: 'sms', outcome: 'accepted', country: 'GB', request_type: 'mfa-verification' },
  ],
  [
    answered({ outcome: 'refused', channel: undefined, country: undefined, requestType: undefined }),
    'codes_total',
    { channel: 'none', outcome: 'refused', country: 'unknown', request_type: 'unknown' },
  ],
  [
    answered({ outcome: 'blocked', status: 'ERROR', channel: undefined }),
    'codes_total',
    { channel: 'none', outcome: 'blocked', country: 'GB', request_type: 'mfa-verification' },
  ],
  [answered({ optIn: 'absent' }), 'opt_in_total', { opt_in: 'absent', channel: 'sms' }],
  [answered({ resendOf: 'event-1', resendOfChannel: 'whatsapp' }), 'resends_total', { channel: 'whatsapp' }],
  [answered({ outcome: 'unknown', isRepeat: true }), 'repeats_total', { outcome: 'unknown' }],
  [answered({ isPreview: true }), 'previews_total', { outcome: 'accepted' }],
  [attempt(), 'attempts_total', { channel: 'sms', provider: 'TWILIO', outcome: 'refused', code: '21610' }],
  [
    EVENTS['attempt.settled'],
    'late_results_total',
    { channel: 'sms', provider: 'TWILIO', outcome: 'accepted', code: 'none' },
  ],
  [
    eventOf('failover.ended', { outcome: 'dropped', channel: undefined, code: 'SUPERSEDED' }),
    'late_failovers_total',
    { from_channel: 'whatsapp', cause: '63024', channel: 'none', outcome: 'dropped', code: 'SUPERSEDED' },
  ],
  [
    eventOf('guard.blocked', { rule: 'country', country: 'FR' }),
    'guard_blocks_total',
    { rule: 'country', mode: 'enforce', country: 'FR' },
  ],
  [
    eventOf('guard.noticed', { rule: 'country', country: 'FR' }),
    'guard_blocks_total',
    { rule: 'country', mode: 'record', country: 'FR' },
  ],
  [EVENTS['okta.fell-back'], 'okta_fallbacks_total', { reason: 'TIMEOUT' }],
  [eventOf('code.used', { channel: 'whatsapp' }), 'codes_used_total', { channel: 'whatsapp', country: 'GB' }],
  [
    eventOf('message.reported', { channel: 'whatsapp', status: 'undelivered', code: '63024' }),
    'message_statuses_total',
    { channel: 'whatsapp', report: 'failed', status: 'undelivered', code: '63024' },
  ],
  [EVENTS['inbound.received'], 'inbound_messages_total', { channel: 'whatsapp', keyword: 'stop' }],
  [
    eventOf('inbound.received', { channel: 'sms', keyword: undefined }),
    'inbound_messages_total',
    { channel: 'sms', keyword: 'none' },
  ],
  [
    eventOf('profile.read', { source: 'stale', reason: 'OKTA_RATE_LIMITED' }),
    'profile_reads_total',
    { source: 'stale', reason: 'OKTA_RATE_LIMITED' },
  ],
  [EVENTS['okta.paused'], 'okta_pauses_total', { reason: 'LOW' }],
  [EVENTS['state.lost'], 'state_losses_total', {}],
  [EVENTS['readiness.failed'], 'warnings_total', { event: 'readiness.failed' }],
  [EVENTS['breaker.changed'], 'breaker_openings_total', { host: 'api.twilio.com' }],
  [
    eventOf('caller.rejected', { count: 7, reason: 'CALLER_NOT_PROVEN' }),
    'rejected_calls_total',
    { code: 'CALLER_NOT_PROVEN' },
    7,
  ],
  [eventOf('probe.rejected', { count: 3 }), 'rejected_calls_total', { code: 'probe' }, 3],
  [eventOf('request.rejected', { count: 2 }), 'rejected_calls_total', { code: 'INVALID_REQUEST' }, 2],
  [eventOf('callback.unmatched', { count: 3 }), 'warnings_total', { event: 'callback.unmatched' }, 3],
  // It counts as one warning, not as 5 messages.
  [EVENTS['callbacks.missing'], 'warnings_total', { event: 'callbacks.missing' }],
  [EVENTS['clock.skewed'], 'warnings_total', { event: 'clock.skewed' }],
];

const FINE: WatchedStatus = { inFlight: 2, breakers: { 'api.twilio.com': 'closed' }, state: 'ok' };

describe('the metrics', () => {
  let registry: Registry;
  let metrics: ReturnType<typeof createMetrics>;
  beforeEach(() => {
    mustNotShow(CODE, ANA.phone.slice(1), ANA.login, ANA.id);
    registry = new Registry();
    metrics = createMetrics(registry);
  });
  const record = (...events: readonly HookEvent[]): void => {
    for (const event of events) metrics.listener(event);
  };
  const page = async (): Promise<MetricsPage> => {
    const text = await registry.metrics();
    witness(text);
    return readPage(text);
  };

  it('are all on the page, each with its type and its help text', async () => {
    const { families } = await page();
    const rows = { COUNTER: COUNTERS, HISTOGRAM: HISTOGRAMS, GAUGE: GAUGES };
    const expected = Object.entries(rows).flatMap(([type, table]) =>
      Object.entries<MetricRow>(table).map(([name, { help }]) => [PREFIX + name, type, help]),
    );
    expect(families.map(({ name, type, help }) => [name, type, help]).sort()).to.deep.equal(expected.sort());
    const counters = Object.keys(COUNTERS);
    expect(counters.filter((name) => !name.endsWith('_total'))).to.deep.equal([]);
  });

  for (const [event, name, labels, count = 1] of COUNTED) {
    it(`count ${event.type} in ${name} ${JSON.stringify(labels)}`, async () => {
      record(event);
      const now = await page();
      expect(now.sum(name, labels)).to.equal(count);
      // No other metric or label counts it, except that each code with an opt-in, and each resend, is a code.
      const alsoCounted = name === 'opt_in_total' || name === 'resends_total' ? now.sum('codes_total') : 0;
      const counted = Object.keys(COUNTERS).reduce((sum, name) => sum + now.sum(name), 0);
      expect(counted - alsoCounted).to.equal(count);
    });
  }

  it('all have a case in the table of this test', () => {
    const counted = new Set(COUNTED.map(([, name]) => name));
    expect(Object.keys(COUNTERS).filter((name) => !counted.has(name))).to.deep.equal([]);
  });

  it('measure stages and the remaining budget in seconds, once a call, without attempts that did not start', async () => {
    record(
      eventOf('profile.read', { source: 'okta', reason: undefined, durationMs: 60 }),
      attempt({ durationMs: 400 }),
      attempt({ code: 'BREAKER_OPEN', durationMs: 0 }),
      answered({ durationMs: 1200, remainingMs: 240 }),
      answered({ isRepeat: true }),
    );
    const now = await page();
    const stages = ['profile', 'attempt', 'call'].map((stage) => [
      now.sum('stage_duration_seconds_count', { stage }),
      now.sum('stage_duration_seconds_sum', { stage }),
    ]);
    expect(stages).to.deep.equal([
      [1, 0.06],
      [1, 0.4],
      [1, 1.2],
    ]);
    expect(now.values('stage_duration_seconds_count', 'channel')).to.deep.equal(['none', 'sms']);
    expect(now.sum('budget_left_seconds_count')).to.equal(1);
    expect(now.sum('budget_left_seconds_bucket', { le: '0.25' })).to.equal(1);
    expect(now.sum('budget_left_seconds_bucket', { le: '0.1' })).to.equal(0);
  });

  it('limit the number of label values, and show no user data', async () => {
    record(attempt({ code: '63016' }));
    for (let number = 0; number < 200; number += 1) {
      record(
        attempt({ provider: 'VENDOR', code: `E${number}` }),
        attempt({ channel: `channel-${number}`, provider: `P${number}`, code: undefined }),
        eventOf('message.reported', { channel: 'sms', report: 'pending', status: `s${number}` }),
      );
    }
    record(
      attempt({ code: ANA.phone.slice(1) }),
      attempt({ code: ANA.login }),
      attempt({ code: `SM${'0a1b2c3d'.repeat(4)}${'9'.repeat(9)}` }),
      answered({ country: ANA.phone }),
      answered({ requestType: `com.okta.user.telephony.${ANA.id}` }),
      eventOf('profile.read', { reason: `not ${ANA.login}` }),
      attempt(),
    );
    const now = await page();
    expect(now.values('attempts_total', 'code')).to.have.length(64 + 4);
    expect(now.values('attempts_total', 'channel')).to.have.length(32 + 1);
    expect(now.values('attempts_total', 'provider')).to.have.length(32 + 1);
    expect(now.values('message_statuses_total', 'status')).to.have.length(32 + 1);
    expect(now.values('codes_total', 'country')).to.deep.equal(['GB', 'unknown']);
    expect(now.values('codes_total', 'request_type')).to.deep.equal(['mfa-verification', 'other']);
    expect(now.values('profile_reads_total', 'reason')).to.deep.equal(['other']);
    // Made-up codes of one provider take no room from another provider.
    expect(now.sum('attempts_total', { provider: 'TWILIO', code: '21610' })).to.equal(1);
    expect(now.sum('attempts_total', { provider: 'TWILIO', code: 'other' })).to.equal(3);
  });

  it('limit the codes of each provider, and of the reports of each channel, apart', async () => {
    for (let number = 0; number < 64; number += 1) {
      record(
        eventOf('message.reported', { channel: 'sms', status: `s${number}`, code: `S${number}` }),
        attempt({ code: `E${number}` }),
      );
    }
    const ended = (cause: string, over: Partial<HookEventOf<'failover.ended'>>): HookEvent =>
      eventOf('failover.ended', { cause: { code: cause, reason: undefined, remedy: undefined }, ...over });
    record(
      ended('C1', { fromChannel: 'whatsapp', channel: 'sms', provider: 'VONAGE', code: 'F1' }),
      ended('C2', { fromChannel: 'sms', channel: 'whatsapp', provider: 'VONAGE', code: 'F2' }),
      ended('C3', { fromChannel: 'whatsapp', channel: 'sms', provider: 'TWILIO', code: 'F3' }),
      eventOf('profile.read', { reason: 'timeout' }),
      eventOf('request.rejected', { code: 'INVALID_PAYLOAD' }),
    );
    const now = await page();
    // Only the 65th code of a list is too many.
    expect(now.values('late_failovers_total', 'cause')).to.have.members(['C1', 'other', 'C3']);
    expect(now.values('late_failovers_total', 'code')).to.have.members(['F1', 'F2', 'other']);
    expect(now.values('message_statuses_total', 'code')).to.have.length(64);
    expect(now.values('profile_reads_total', 'reason')).to.deep.equal(['timeout']);
    expect(now.values('rejected_calls_total', 'code')).to.deep.equal(['INVALID_PAYLOAD']);
  });

  it('are registered once for many hooks, and count for all of them', async () => {
    const second = createMetrics(registry);
    record(answered());
    second.listener(answered());
    expect((await page()).sum('codes_total')).to.equal(2);
  });

  it('continue for a new hook on the same registry, and start again in a cleared registry', async () => {
    record(answered());
    metrics.close();
    metrics = createMetrics(registry);
    record(answered());
    expect((await page()).sum('codes_total')).to.equal(2);
    registry.clear();
    metrics = createMetrics(registry);
    record(answered());
    expect((await page()).sum('codes_total')).to.equal(1);
  });

  it('show the worst value of all open hooks, and nothing of closed ones', async () => {
    const second = createMetrics(registry);
    const learning = (isBlind: boolean, level: number): LearnStatus => ({
      isBlind,
      levels: [{ rule: 'learn.country', country: 'US', level }],
    });
    // The worst one first.
    second.watch(() => ({
      inFlight: 3,
      breakers: { 'api.twilio.com': 'open', line: 'half-open' },
      state: 'lost',
      learning: learning(true, 2),
    }));
    metrics.watch(() => ({ ...FINE, learning: learning(false, 1) }));
    const shown = async (): Promise<readonly number[]> => {
      const now = await page();
      const host = 'api.twilio.com';
      return [
        now.sum('breaker_state', { host }),
        now.sum('breaker_state', { host: 'line' }),
        now.sum('state_up'),
        now.sum('calls_in_flight'),
        now.sum('guard_level'),
        now.sum('guard_blind'),
      ];
    };
    expect(await shown()).to.deep.equal([2, 1, 0, 5, 2, 1]);
    second.close();
    expect(await shown()).to.deep.equal([0, 0, 1, 2, 1, 0]);
    metrics.close();
    const last = await page();
    expect(last.values('breaker_state', 'host')).to.deep.equal([]);
    // No value: a value would say that the state is lost or up.
    expect(await registry.getSingleMetricAsString(`${PREFIX}state_up`)).to.not.match(/^[^#]/m);
  });

  it('throw a ConfigurationError with the name if the registry already has a metric of that name', () => {
    const taken = new Registry();
    new Counter({ name: `${PREFIX}codes_total`, help: 'Of somebody else', registers: [taken] });
    expect(() => createMetrics(taken))
      .to.throw(ConfigurationError)
      .with.property('problems')
      .that.satisfies(([problem]: readonly string[]) => /^metrics: .*codes_total/.test(problem ?? ''));
  });

  it('accept a registry of any copy of prom-client: they call two methods only', () => {
    const known = new Map<string, unknown>();
    const other: MetricsRegistry = {
      registerMetric: (metric) => known.set((metric as { name: string }).name, metric),
      getSingleMetric: (name) => known.get(name),
      metrics: () => Promise.reject(new Error('not asked')),
    };
    createMetrics(other).listener(answered());
    createMetrics(other);
    expect(known.size).to.equal([COUNTERS, HISTOGRAMS, GAUGES].flatMap(Object.keys).length);
  });
});
