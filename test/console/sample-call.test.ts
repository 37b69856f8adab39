import { expect } from 'chai';
import { OktaApiError } from '#lib/core/errors.js';
import { REQUEST_TYPES } from '#lib/core/request-types.js';
import { readHookCall } from '#lib/okta/inline-hook.js';
import {
  makeSampleCall,
  readSampleUser,
  renewSampleCall,
  type ReadOktaPath,
  type SampleUser,
} from '#lib/console/sample-call.js';
import { startOktaEmulator, type NewUser, type OktaEmulator } from '#lib/testing/index.js';
import { makeHookPayload } from '#lib/testing/okta/hooks/hook-payload.js';
import { rejection } from '../testing/local.js';

const NOW = Date.parse('2026-11-25T12:00:00Z');
const ENROLLED = '+447700900123';
const CALLED = '+12025550142';
const PROFILE_PHONE = '+1-555-415-1337';
const ANA = '00u1anasilveira00001';

describe('a sample call', () => {
  let okta: OktaEmulator;
  beforeEach(async () => {
    okta = await startOktaEmulator();
  });
  afterEach(() => okta.close());

  const asked: string[] = [];
  beforeEach(() => (asked.length = 0));
  const ask: ReadOktaPath = async (path) => {
    asked.push(path);
    const response = await fetch(okta.orgUrl + path, { headers: { authorization: `SSWS ${okta.apiToken}` } });
    const body: unknown = await response.json();
    if (response.status === 404) throw new OktaApiError('OKTA_NOT_FOUND', 'Okta answered 404');
    return body;
  };
  const addAna = (user: Partial<NewUser> = {}): void => {
    okta.addUser({
      id: ANA,
      login: 'ana.silveira@example.com',
      profile: { mobilePhone: PROFILE_PHONE, locale: 'pt_BR' },
      phoneFactors: [
        { factorType: 'sms', phoneNumber: ENROLLED },
        { factorType: 'call', phoneNumber: CALLED },
      ],
      ...user,
    });
  };
  const userOf = async (user?: Partial<NewUser>): Promise<SampleUser> => {
    addAna(user);
    return readSampleUser(ask, ANA);
  };
  const make = (
    user: SampleUser,
    options: Partial<Parameters<typeof makeSampleCall>[1]> = {},
  ): { payload: Record<string, unknown>; notes: string; message: Record<string, unknown> } => {
    const { payload, notes } = makeSampleCall(user, {
      requestType: 'mfa-verification',
      deliveryChannel: 'sms',
      orgUrl: 'https://acme.okta.com',
      nowMs: NOW,
      ...options,
    });
    const { messageProfile } = payload['data'] as { messageProfile: Record<string, unknown> };
    return { payload: { ...payload }, notes: notes.join(' '), message: messageProfile };
  };

  describe('reads its user', () => {
    it('by id or by login in upper or lower case, with the phones that the user enrolled', async () => {
      addAna();
      for (const idOrLogin of [ANA, 'ana.silveira@example.com', 'ANA.Silveira@Example.com']) {
        const user = await readSampleUser(ask, idOrLogin);
        expect(user).to.deep.include({
          id: ANA,
          login: 'ana.silveira@example.com',
          status: 'ACTIVE',
          enrolled: { sms: ENROLLED, voice: CALLED },
        });
        expect(user.profile).to.include({ locale: 'pt_BR', mobilePhone: PROFILE_PHONE });
      }
    });

    for (const idOrLogin of ['me', 'ME', '.', '..', '../apps', 'a/b@example.com', 'a\\b', '', 'a\nb']) {
      it(`only by a valid id or login: ${JSON.stringify(idOrLogin)} causes no request`, async () => {
        const error = await rejection(readSampleUser(ask, idOrLogin));
        expect(error).to.be.instanceOf(OktaApiError).and.include({ code: 'OKTA_NOT_FOUND' });
        expect((error as OktaApiError).remedy).to.include('id');
        expect(asked).to.be.empty;
      });
    }

    it('by the part of the login before the @ if isShortAllowed is set, never another user', async () => {
      addAna();
      const isShort = { isShortAllowed: true };
      expect((await readSampleUser(ask, 'Ana.Silveira', isShort)).id).to.equal(ANA);
      expect(await rejection(readSampleUser(ask, 'ana.silveira'))).to.include({ code: 'OKTA_WRONG_USER' });
      const other: ReadOktaPath = () =>
        Promise.resolve({ id: '00u1', profile: { login: 'ana.silveira.more@example.com' } });
      expect(await rejection(readSampleUser(other, 'ana.silveira', isShort))).to.include({
        code: 'OKTA_WRONG_USER',
      });
    });

    it('or fails with OKTA_NOT_FOUND if Okta does not know the user', async () => {
      expect(await rejection(readSampleUser(ask, 'nobody@example.com'))).to.include({
        code: 'OKTA_NOT_FOUND',
      });
    });

    it('or fails with OKTA_UNREADABLE if the id cannot be part of a path', async () => {
      const odd: ReadOktaPath = () => Promise.resolve({ id: '../x', profile: { login: 'a@example.com' } });
      expect(await rejection(readSampleUser(odd, 'a@example.com'))).to.include({ code: 'OKTA_UNREADABLE' });
    });

    it("without factors if Okta forbids them: the profile's phone serves, and a note says so", async () => {
      addAna();
      const refused: ReadOktaPath = (path) =>
        path.endsWith('/factors')
          ? Promise.reject(new OktaApiError('OKTA_FORBIDDEN', 'Okta answered 403'))
          : ask(path);
      const user = await readSampleUser(refused, ANA);
      const { message, notes } = make(user);
      expect(message['phoneNumber']).to.equal(PROFILE_PHONE);
      expect(notes).to.include('not let us read').and.not.include('has enrolled no phone');
    });

    it("or fails with Okta's error if Okta refuses the factors for another reason", async () => {
      addAna();
      const limited: ReadOktaPath = (path) =>
        path.endsWith('/factors')
          ? Promise.reject(new OktaApiError('OKTA_RATE_LIMITED', 'Okta answered 429'))
          : ask(path);
      expect(await rejection(readSampleUser(limited, ANA))).to.include({ code: 'OKTA_RATE_LIMITED' });
    });
  });

  describe('has the phone', () => {
    it('of the factor for the delivery channel', async () => {
      const user = await userOf();
      expect(make(user).message['phoneNumber']).to.equal(ENROLLED);
      const call = make(user, { deliveryChannel: 'voice' });
      expect(call.message['phoneNumber']).to.equal(CALLED);
      expect(call.notes).to.equal('');
    });

    it('of the phone option if it is set', async () => {
      const { message, notes } = make(await userOf(), { phone: '+5511987654321' });
      expect(message['phoneNumber']).to.equal('+5511987654321');
      expect(notes).to.equal('');
    });

    it('of the other factor if that is the only one, with a note', async () => {
      const user = await userOf({ phoneFactors: [{ factorType: 'call', phoneNumber: CALLED }] });
      const { message, notes } = make(user);
      expect(message['phoneNumber']).to.equal(CALLED);
      expect(notes).to.include('no phone for SMS').and.include('other factor');
    });

    it('of the profile if no factor has one, with a note, also on a missing country code', async () => {
      const user = await userOf({ phoneFactors: [], profile: { mobilePhone: '555-415-1337' } });
      const { message, notes } = make(user);
      expect(message['phoneNumber']).to.equal('555-415-1337');
      expect(notes).to.include('mobilePhone').and.include('defaultCountry');
      expect(make({ ...user, profile: { mobilePhone: '0044 7700 900123' } }).notes).to.not.include(
        'defaultCountry',
      );
    });

    it('left empty if the user has none, with a note that names the field to fill in', async () => {
      const user = await userOf({ phoneFactors: [], profile: {} });
      const { message, notes } = make(user);
      expect(message['phoneNumber']).to.equal('');
      expect(notes).to.include('data.messageProfile.phoneNumber');
    });
  });

  it('has a note if the user is not active', async () => {
    expect(make(await userOf({ status: 'LOCKED_OUT' })).notes).to.include('LOCKED_OUT');
  });

  it("has the shape of Okta's own preview, for SMS and for voice", async () => {
    const user = await userOf();
    for (const [deliveryChannel, spelt] of [
      ['sms', 'SMS'],
      ['voice', 'voice call'],
    ] as const) {
      const theirs = makeHookPayload({ preview: true, deliveryChannel: spelt }, okta.users[0], {
        orgUrl: okta.orgUrl,
        now: NOW,
      });
      expect(shapeOf(make(user, { deliveryChannel, hookId: 'cal1' }).payload)).to.deep.equal(shapeOf(theirs));
    }
  });

  it('is read by the hook as a preview, with each request type and channel', async () => {
    const user = await userOf();
    for (const requestType of REQUEST_TYPES) {
      for (const deliveryChannel of ['sms', 'voice'] as const) {
        const { payload, message } = make(user, { requestType, deliveryChannel });
        const call = readHookCall(payload, { defaultCountry: undefined, nowMs: NOW });
        expect(call).to.include({ isPreview: true, hasEventId: true, refusal: undefined, skewMs: 0 });
        expect(call.request).to.include({
          requestType: `com.okta.user.telephony.${requestType}`,
          deliveryChannel,
          userId: ANA,
          locale: 'pt-BR',
          otpCode: message['otpCode'],
        });
      }
    }
  });

  it('has a six-digit code without a leading 0, five minutes of lifetime and its own event id', async () => {
    const user = await userOf();
    const calls = Array.from({ length: 20 }, () => make(user));
    for (const { message } of calls) {
      expect(message['otpCode']).to.match(/^[1-9]\d{5}$/);
      expect(message['msgTemplate']).to.include(message['otpCode']);
      expect(message['otpExpires']).to.equal('2026-11-25T12:05:00.000Z');
    }
    expect(new Set(calls.map(({ payload }) => payload['eventId'])).size).to.equal(20);
  });

  it('contains the request id and the hook id of the options', async () => {
    const { payload } = make(await userOf(), { requestId: 'tester-1', hookId: 'cal1' });
    expect(payload).to.deep.nested.include({
      'data.context.request.id': 'tester-1',
      source: 'https://acme.okta.com/api/v1/inlineHooks/cal1',
    });
  });

  describe('that is sent again', () => {
    it('has a new event id and is otherwise the same', async () => {
      const { payload } = make(await userOf());
      const renewed = renewSampleCall(payload, NOW + 1000);
      expect(renewed['eventId']).to.not.equal(payload['eventId']);
      expect({ ...renewed, eventId: '' }).to.deep.equal({ ...payload, eventId: '' });
    });

    it('has a new lifetime if its code has expired', async () => {
      const renewed = renewSampleCall(make(await userOf()).payload, NOW + 3_600_000);
      expect(renewed).to.deep.nested.include({
        eventTime: '2026-11-25T13:00:00.000Z',
        'data.messageProfile.otpExpires': '2026-11-25T13:05:00.000Z',
      });
    });

    it('is marked as a preview, with any context or none', async () => {
      const { payload } = make(await userOf());
      const data = payload['data'] as Record<string, unknown>;
      for (const context of [
        undefined,
        7,
        { request: { url: { value: '/idp/idx/challenge' }, id: 'req1' } },
      ]) {
        const renewed = renewSampleCall({ ...payload, data: { ...data, context } }, NOW);
        const call = readHookCall(renewed, { defaultCountry: undefined, nowMs: NOW });
        expect(call.isPreview).to.equal(true);
      }
      expect(renewSampleCall({}, NOW)).to.have.nested.property('data.context.request.url.value');
    });
  });
});

/** Names and types of the fields, without the values. */
function shapeOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, shapeOf(entry)]));
}
