import { expect } from 'chai';
import { RequestError } from '#lib/core/request-error.js';
import { eventsOf, readCodeUse, readCodeUses } from '#lib/okta/event-hook.js';

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
  });
});

describe("a delivery of Okta's event hook", () => {
  it('contains events, of which those without the use of a code are read as undefined', () => {
    const events = eventsOf({ data: { events: [signIn(), 'none', signIn({ uuid: 'uuid-2' })] } });
    expect([...readCodeUses(events)].map((use) => use?.id)).to.deep.equal(['uuid-1', undefined, 'uuid-2']);
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
