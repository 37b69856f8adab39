import { expect } from 'chai';
import { RequestError } from '#lib/core/request-error.js';
import { eventsOf, readCodeUse, readGivenUpCall, readNews } from '#lib/okta/event-hook.js';

const PUBLISHED = '2026-11-25T12:00:00.250Z';
const USER = { id: '00u1', type: 'User', alternateId: 'ana@example.com', displayName: 'Ana' };
const ADMIN = { ...USER, id: '00uadmin' };

type Plain = Readonly<Record<string, unknown>>;

/** A sign-in by SMS, as in Okta's System Log. */
const signIn = (change: Plain = {}): Plain => ({
  uuid: 'uuid-1',
  published: PUBLISHED,
  eventType: 'user.authentication.auth_via_mfa',
  actor: USER,
  target: [],
  outcome: { result: 'SUCCESS', reason: null },
  debugContext: { debugData: { factor: 'SMS_FACTOR', requestUri: '/idp/idx/challenge/answer' } },
  ...change,
});
const enrollment = (reason: unknown, change: Plain = {}): Plain =>
  signIn({
    eventType: 'user.mfa.factor.activate',
    target: [USER],
    outcome: { result: 'SUCCESS', reason },
    debugContext: { debugData: { requestUri: '/idp/idx/challenge/answer' } },
    ...change,
  });
const factor = (value: unknown): Plain => signIn({ debugContext: { debugData: { factor: value } } });

describe("an event of Okta's event hook", () => {
  it("says which user signed in with which channel's code, and when", () => {
    expect(readCodeUse(signIn())).to.deep.equal({
      id: 'uuid-1',
      userId: '00u1',
      deliveryChannel: 'sms',
      atMs: Date.parse(PUBLISHED),
    });
    expect(readCodeUse(factor('CALL_FACTOR'))).to.include({ deliveryChannel: 'voice' });
  });

  it('names the factor of an enrollment in a sentence, or in the field of a sign-in', () => {
    for (const [event, deliveryChannel] of [
      [enrollment('User set up SMS_FACTOR factor'), 'sms'],
      [enrollment('User set up CALL_FACTOR factor'), 'voice'],
      [enrollment(null, factor('CALL_FACTOR')), 'voice'],
    ] as const) {
      const read = readCodeUse({ ...event, eventType: 'user.mfa.factor.activate' });
      expect(read).to.include({ userId: '00u1', deliveryChannel });
    }
  });

  for (const [what, change, userId] of [
    ['the actor if it has no target', {}, '00u1'],
    [
      'the actor if no target is a user',
      { target: [{ id: 'pae1', type: 'AuthenticatorEnrollment' }] },
      '00u1',
    ],
    [
      'the target if an administrator acts',
      { actor: ADMIN, target: [{ id: 'x', type: 'App' }, USER] },
      '00u1',
    ],
    ['the target if that is also the actor', { target: [USER] }, '00u1'],
    ['the actor if the target has no id', { target: [{ type: 'User' }] }, '00u1'],
    ['the actor if target is not an array', { target: 'User' }, '00u1'],
  ] as const) {
    it(`is about ${what}`, () => {
      expect(readCodeUse(signIn(change))).to.include({ userId });
    });
  }

  const none: readonly (readonly [what: string, event: unknown])[] = [
    ['a wrong code', signIn({ outcome: { result: 'FAILURE', reason: 'INVALID_CREDENTIALS' } })],
    ['no outcome', signIn({ outcome: undefined })],
    ['another factor', factor('EMAIL_FACTOR')],
    ['a factor named like a property of Object.prototype', factor('constructor')],
    ['no factor', signIn({ debugContext: {} })],
    [
      'a sign-in with its factor in a sentence',
      signIn({ debugContext: {}, outcome: enrollment('SMS_FACTOR')['outcome'] }),
    ],
    ['an enrollment of another factor', enrollment('User set up OKTA_SMS_FACTORY factor')],
    ['an enrollment without a sentence', enrollment(null)],
    ['another event type', signIn({ eventType: 'user.session.start' })],
    ['no actor', signIn({ actor: undefined })],
    ['an invalid user id', signIn({ actor: { id: 'x'.repeat(257) } })],
    ...[null, undefined, 'text', 4, [], [[]], {}].map((event) => [JSON.stringify(event), event] as const),
  ];
  for (const [what, event] of none) {
    it(`is not the use of a code: ${what}`, () => {
      expect(readCodeUse(event)).to.equal(undefined);
    });
  }

  for (const [what, change] of [
    ['time', { published: 'yesterday' }],
    ['time', { published: 4711 }],
  ] as const) {
    it(`may have an unreadable ${what}: ${JSON.stringify(change)}`, () => {
      expect(readCodeUse(signIn(change))).to.include({ atMs: undefined, id: 'uuid-1' });
    });
  }

  it('may have no id, or one that is too long', () => {
    for (const uuid of [undefined, '', 4, 'u'.repeat(257)])
      expect(readCodeUse(signIn({ uuid }))).to.include({ id: undefined, userId: '00u1' });
    expect(readCodeUse(signIn({ uuid: 'u'.repeat(256) }))).to.include({ id: 'u'.repeat(256) });
  });
});

describe('the event of an inline hook that failed', () => {
  const OURS = 'calOURS0000000000000';
  const OTHER = 'calOTHER000000000000';
  const failed = (change: Plain = {}): Plain => ({
    uuid: 'uuid-9',
    published: PUBLISHED,
    eventType: 'inline_hook.executed',
    actor: USER,
    target: [{ id: OURS, type: 'InlineHook', displayName: 'Telephony', alternateId: 'unknown' }],
    outcome: { result: 'FAILURE', reason: 'The hook timed out' },
    transaction: { type: 'WEB', id: 'req-1' },
    debugContext: { debugData: { requestId: 'req-1', url: '/idp/idx/challenge?' } },
    ...change,
  });
  const read = (change: Plain = {}, known: readonly string[] = [OURS]) =>
    readGivenUpCall(failed(change), new Set(known));
  const target = (party: Plain): Plain => ({ target: [party] });
  const debugData = (data: Plain): Plain => ({ target: [], debugContext: { debugData: data } });

  it('says which call Okta gave up on, and why', () => {
    expect(read()).to.deep.equal({
      id: 'uuid-9',
      oktaRequestId: 'req-1',
      userId: '00u1',
      code: 'TIMEOUT',
      reason: 'The hook timed out',
      isHookUnknown: false,
    });
  });

  it('takes the request id of the debug data, and no user if Okta itself is the actor', () => {
    expect(read({ transaction: null, actor: { id: 'system', type: 'SystemPrincipal' } })).to.include({
      oktaRequestId: 'req-1',
      userId: undefined,
    });
  });

  it('is about the user who is a target, whoever the actor is', () => {
    const system = { id: 'system', type: 'SystemPrincipal' };
    expect(read({ actor: system, target: [USER] })).to.include({ userId: '00u1' });
    expect(read({ actor: ADMIN, target: [USER] })).to.include({ userId: '00u1' });
  });

  for (const [whose, change] of [
    ['its id is a target', {}],
    ['its id is in the debug data', debugData({ inlineHookId: OURS })],
    ['its id is in a URL', debugData({ hook: `https://acme.okta.com/api/v1/inlineHooks/${OURS}` })],
    ['the type is telephony', target({ id: OTHER, detailEntry: 'com.okta.telephony.provider' })],
  ] as const) {
    it(`is ours if ${whose}`, () => {
      expect(read(change)).to.include({ isHookUnknown: false });
    });
  }

  for (const [whose, change] of [
    ['the id is another one', target({ id: OTHER })],
    ['the type is another one', debugData({ hookType: 'com.okta.oauth2.tokens.transform' })],
    ['it succeeded', { outcome: { result: 'SUCCESS' } }],
    ['it is another event', { eventType: 'inline_hook.updated' }],
  ] as const) {
    it(`is ignored if ${whose}`, () => {
      expect(read(change)).to.equal(undefined);
    });
  }

  it('may be ours if it names no hook, or if no call has named ours yet', () => {
    expect(read({ target: [] })).to.include({ isHookUnknown: true });
    expect(read({}, [])).to.include({ isHookUnknown: true });
    // A long text is not searched to its end.
    expect(read(target({ id: `${' '.repeat(256)}${OTHER}` }))).to.include({ isHookUnknown: true });
    for (const odd of [null, 'text', [null], [4]])
      expect(read({ target: odd })).to.include({ isHookUnknown: true });
  });

  for (const [reason, code] of [
    ['no answer within 3 s', 'TIMEOUT'],
    ['Inline hook timeout', 'TIMEOUT'],
    ['Did not receive a response from an inline hook', 'TIMEOUT'],
    ['HTTP status 503: only 200 is processed', 'HTTP_STATUS'],
    ['Unexpected status code: 401', 'HTTP_STATUS'],
    ['HTTP status 504: Gateway Timeout', 'HTTP_STATUS'],
    ['HTTP 408 Request Timeout', 'HTTP_STATUS'],
    ['HTTP status 200, but the body cannot be parsed', 'BAD_RESPONSE'],
    ['no answer: ECONNREFUSED', 'UNREACHABLE'],
    ['Could not communicate correctly with an inline hook', 'UNREACHABLE'],
    ['Could not deserialize inline hook response due to error', 'BAD_RESPONSE'],
    ['the body is not a JSON object', 'BAD_RESPONSE'],
    ['there are no commands', 'BAD_RESPONSE'],
    ['Something else', 'OTHER'],
    [null, 'OTHER'],
  ] as const) {
    it(`is ${code} for ${String(reason)}`, () => {
      const call = read({ outcome: { result: 'FAILURE', reason } });
      expect(call).to.include({ code, reason: reason ?? undefined });
    });
  }

  it('shows no number or code of the reason', () => {
    const reason = 'Sent 204981 to +1 500 555 0006';
    expect(read({ outcome: { result: 'FAILURE', reason } })?.reason).to.equal('Sent … to …');
  });
});

describe("a delivery of Okta's event hook", () => {
  it('contains events, of which those without the use of a code are read as undefined', () => {
    const events = eventsOf({ data: { events: [signIn(), 'none', signIn({ uuid: 'uuid-2' })] } });
    expect([...readNews(events, new Set())].map((use) => use?.id)).to.deep.equal([
      'uuid-1',
      undefined,
      'uuid-2',
    ]);
    expect(eventsOf({ data: { events: [] } })).to.deep.equal([]);
  });

  for (const body of [undefined, null, 'text', [], {}, { data: [] }, { data: { events: {} } }]) {
    it(`is refused as INVALID_REQUEST if it is ${JSON.stringify(body)}`, () => {
      expect(() => eventsOf(body))
        .to.throw(RequestError)
        .that.deep.includes({ code: 'INVALID_REQUEST', fields: ['data.events'] });
    });
  }
});
