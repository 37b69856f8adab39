import { expect } from 'chai';
import { readHookCall, type HookCall } from '#lib/okta/inline-hook.js';

const NOW = Date.parse('2026-03-01T10:00:00.200Z');

interface Parts {
  readonly envelope?: object;
  readonly user?: object;
  readonly context?: object;
  readonly message?: object;
}

const read = (parts: Parts = {}): HookCall =>
  readHookCall(
    {
      eventId: 'event-1',
      ...parts.envelope,
      data: {
        userProfile: parts.user,
        context: { request: parts.context },
        messageProfile: {
          phoneNumber: '+447700900123',
          otpCode: '204981',
          deliveryChannel: 'SMS',
          ...parts.message,
        },
      },
    },
    { defaultCountry: undefined, nowMs: NOW },
  );

describe('the fields of a hook call', () => {
  const limited: readonly (readonly [
    field: string,
    longest: number,
    give: (text: string) => Parts,
    take: (call: HookCall) => unknown,
  ])[] = [
    [
      'requestType',
      256,
      (requestType) => ({ envelope: { requestType } }),
      ({ request }) => request.requestType,
    ],
    ['userId', 256, (userId) => ({ user: { userId } }), ({ request }) => request.userId],
    ['login', 256, (login) => ({ user: { login } }), ({ request }) => request.login],
    ['firstName', 256, (firstName) => ({ user: { firstName } }), ({ request }) => request.firstName],
    ['lastName', 256, (lastName) => ({ user: { lastName } }), ({ request }) => request.lastName],
    ['ipAddress', 256, (ipAddress) => ({ context: { ipAddress } }), ({ request }) => request.ipAddress],
    ['the transaction id', 256, (id) => ({ context: { id } }), ({ request }) => request.oktaRequestId],
    [
      'msgTemplate',
      4000,
      (msgTemplate) => ({ message: { msgTemplate } }),
      ({ request }) => request.msgTemplate,
    ],
  ];
  for (const [field, longest, give, take] of limited) {
    it(`contain ${field}, trimmed, of up to ${longest} characters, and leave out a longer one`, () => {
      const text = 'x'.repeat(longest);
      expect(take(read(give(` ${text}\n`)))).to.equal(text);
      expect(take(read(give(`${text}x`)))).to.equal(undefined);
      expect(take(read(give(' ')))).to.equal(undefined);
    });
  }

  it('contain a user id of which a name, the login or the number is only a part', () => {
    for (const userId of ['00u1ana4lopez5d7', '00u204981x', '00u4477009001234', '000', 'ana']) {
      const user = { userId, login: 'ana@example.com', firstName: 'Ana', lastName: 'Lopez' };
      expect(read({ user }).request.userId, userId).to.equal(userId);
    }
    expect(read({ user: { userId: '000' }, message: { phoneNumber: 'none' } }).request.userId).to.equal(
      '000',
    );
  });

  it('contain the event id, or the digest of a long one: equal ids have equal digests', () => {
    const longest = 'x'.repeat(256);
    expect(read({ envelope: { eventId: longest } })).to.deep.include({ hasEventId: true });
    const ids: string[] = [];
    for (const eventId of [longest, ` ${longest}`, `${longest}x`, `${longest}x`, `${longest}y`, 4711]) {
      ids.push(read({ envelope: { eventId } }).request.eventId);
    }
    expect(ids.slice(0, 2)).to.deep.equal([longest, longest]);
    expect(ids[2])
      .to.match(/^[\w-]{43}$/)
      .and.to.equal(ids[3]);
    expect(ids[4])
      .to.match(/^[\w-]{43}$/)
      .and.to.not.equal(ids[3]);
    expect(ids[5]).to.equal('4711');
  });

  it('contain a new, unique event id if the call has none, and hasEventId is false', () => {
    const [one, other] = [read({ envelope: { eventId: '' } }), read({ envelope: { eventId: null } })];
    for (const { request, hasEventId } of [one, other]) {
      expect(hasEventId).to.equal(false);
      expect(request.eventId).to.match(/^[\da-f-]{36}$/);
    }
    expect(one.request.eventId).to.not.equal(other.request.eventId);
  });

  it("contain isPreview, true only for the URL of Okta's preview page", () => {
    const at = (value: unknown): boolean => read({ context: { url: { value } } }).isPreview;
    const path = '/api/internal/v1/inlineHooks/com.okta.telephony.provider/generatePreview';
    for (const value of [path, ` ${path} `, `${path}?locale=en`]) expect(at(value), value).to.equal(true);
    for (const value of [
      '/idp/idx/challenge',
      '/idp/idx/challenge?x=generatePreview',
      `/idp/idx/challenge?x=${path}`,
      `/login${path}`,
      `${path}/`,
      `${path}s`,
      `${path}#`,
      path.toLowerCase(),
      path.replaceAll('.', 'x'),
      `https://acme.okta.com${path}`,
      'generatePreview',
      '',
      7,
      undefined,
    ]) {
      expect(at(value), String(value)).to.equal(false);
    }
    expect(read().isPreview).to.equal(false);
  });

  it('contain the refusal, with its remedy, if the code cannot be sent', () => {
    const over = { otpExpires: new Date(NOW - 120_001).toISOString() };
    expect(read({ message: over }).refusal).to.deep.equal({
      code: 'CODE_EXPIRED',
      reason: 'The code had ended before the request came',
      remedy: "Check the gateway's clock, and whether something delays Okta's requests.",
    });
    const undialable = {
      code: 'NO_DIALABLE_NUMBER',
      reason: 'The number is not in E.164 form, and no default country makes it so',
      remedy:
        'Enroll the phone again with its whole number. In a preview, replace the placeholder with a real number. If Okta has numbers without +, set defaultCountry.',
    };
    expect(read({ message: { phoneNumber: '123' } }).refusal).to.deep.equal(undialable);
    for (const phoneNumber of ['+1234', '00 12 34', '+0441234567', '+1234567890123456']) {
      expect(read({ message: { phoneNumber } }).refusal, phoneNumber).to.deep.equal({
        ...undialable,
        reason: 'After + or 00, the number does not have 7 to 15 digits that begin with a country code',
      });
    }
    expect(read({ message: { phoneNumber: '123' } }).request.phoneNumber).to.equal('');
    expect(read().refusal).to.equal(undefined);
  });
});
