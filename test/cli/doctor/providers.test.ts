import { expect } from 'chai';
import { vonageChannel } from '#lib/channels/index.js';
import { startLineEmulator, type LineEmulator } from '../../channels/line/emulator.js';
import { startVonageEmulator, type VonageEmulator } from '../../channels/vonage/emulator.js';
import { lineOf, linesOf, openWard, type Line, type Ward } from './scene.js';

describe('doctor without Twilio', () => {
  let vonage: VonageEmulator;
  let line: LineEmulator;
  let ward: Ward;
  before(async () => {
    [vonage, line] = await Promise.all([startVonageEmulator(), startLineEmulator()]);
    const { apiKey, apiSecret, baseUrl } = vonage;
    ward = await openWard({
      hook: () => ({
        credentials: { twilio: undefined },
        publicUrl: undefined,
        sandboxNumber: undefined,
        senders: undefined,
        channels: { sms: vonageChannel({ apiKey, apiSecret, baseUrl, from: 'ACME' }) },
      }),
    });
  });
  after(async () => {
    await ward.close();
    await Promise.all([vonage.close(), line.close()]);
  });
  const variables = (): Record<string, string> => ({
    ...Object.fromEntries(
      Object.keys(ward.env)
        .filter((name) => name.startsWith('TWILIO_'))
        .map((name) => [name, '']),
    ),
    VONAGE_API_KEY: vonage.apiKey,
    VONAGE_API_SECRET: vonage.apiSecret,
    VONAGE_SMS_FROM: 'ACME',
    VONAGE_BASE_URL: vonage.baseUrl,
  });

  it('skips Twilio and the callbacks, and checks Vonage', async () => {
    const lines = await ward.lines(variables());
    expect(lines.filter(({ status }) => status !== 'ok')).to.deep.equal([]);
    expect(lineOf(lines, 'twilio.variables').message).to.equal('Not set: another provider sends the codes.');
    expect(lineOf(lines, 'vonage.sms').message).to.equal('Vonage takes the credentials.');
    expect(lines.map(({ check }) => check)).to.not.include.members(['hook.callbacks']);
    expect(vonage.messages).to.have.lengthOf(0);
  });

  it('fails if Vonage refuses the credentials, and names a missing variable', async () => {
    const refused = await ward.lines({ ...variables(), VONAGE_API_SECRET: 'another-secret' });
    expect(lineOf(refused, 'vonage.sms')).to.deep.include({ status: 'fail' });
    const missing = await ward.lines({ ...variables(), VONAGE_API_SECRET: '' });
    expect(lineOf(missing, 'vonage.variables').message).to.match(/^VONAGE_API_SECRET is missing/);
  });

  it('checks LINE beside Vonage', async () => {
    const env = {
      ...variables(),
      LINE_CHANNEL_ACCESS_TOKEN: line.channelAccessToken,
      LINE_BASE_URL: line.baseUrl,
    };
    expect(lineOf(await ward.lines(env), 'line.line').message).to.equal('LINE takes the credentials.');
  });

  it('refuses a boolean attribute for LINE alone, and accepts one with channel names', async () => {
    const { okta } = ward.scene;
    const env = { ...variables(), LINE_CHANNEL_ACCESS_TOKEN: line.channelAccessToken };
    const optIn = async (attribute: string): Promise<readonly Line[]> =>
      (await ward.lines({ ...env, LINE_BASE_URL: line.baseUrl, OPT_IN_ATTRIBUTE: attribute })).filter(
        ({ check }) => ['okta.attribute', 'okta.opted-in'].includes(check),
      );
    const [boolean, nobody] = await optIn('');
    expect(nobody).to.deep.include({ status: 'warn', remedy: 'See okta.attribute.' });
    expect(boolean).to.deep.include({
      status: 'fail',
      message: 'whatsAppOptIn is of the type boolean: no user can opt in to LINE by it.',
      remedy:
        'Set OPT_IN_ATTRIBUTE to an attribute of the type string or string array, with the value line for each user who opts in.',
    });
    const [missing] = await optIn('codesBy');
    expect(missing?.remedy).to.equal(
      'Add it in Okta: Directory > Profile Editor > User (default), of the type string or string array, with the value line for each user who opts in.',
    );
    okta.setAttribute('codesBy', { title: 'Codes by', type: 'string' });
    const [names, optedIn] = await optIn('codesBy');
    expect(names).to.deep.include({
      status: 'ok',
      message:
        'codesBy is of the type string, and users may not change it themselves: a user has opted in to LINE if it has the value line.',
    });
    expect(optedIn?.remedy).to.match(/^Set codesBy to line for yourself/);
  });

  const lineAlone = (): Record<string, string> => ({
    ...variables(),
    VONAGE_API_KEY: '',
    VONAGE_API_SECRET: '',
    VONAGE_SMS_FROM: '',
    VONAGE_BASE_URL: '',
    LINE_CHANNEL_ACCESS_TOKEN: line.channelAccessToken,
    LINE_BASE_URL: line.baseUrl,
  });

  it('fails if the attribute of the LINE user id is missing, is not a string, or users may change it', async () => {
    const { okta } = ward.scene;
    const attributeLine = async (name: string): Promise<Line> =>
      lineOf(await ward.lines({ ...lineAlone(), LINE_USER_ID_ATTRIBUTE: name }), 'okta.line-user-id');
    expect(await attributeLine('')).to.deep.include({
      status: 'fail',
      message: 'The user profile has no attribute lineUserId.',
      remedy:
        'Name another by LINE_USER_ID_ATTRIBUTE, here and at the gateway, or add it in Okta: Directory > Profile Editor > User (default), as a string that users may not change.',
    });
    okta.setAttribute('lineIds', { title: 'Ids', type: 'array' });
    expect(await attributeLine('lineIds')).to.deep.include({
      status: 'fail',
      message: 'lineIds is of the type array, but the LINE user id is a string.',
    });
    expect((await attributeLine('nickName')).message).to.match(
      /^Users may change nickName, the LINE user id to which codes go: somebody with a stolen password can/,
    );
    okta.setAttribute('lineUserId', { title: 'LINE user id', type: 'string' });
    expect(await attributeLine('')).to.deep.include({
      status: 'ok',
      message: 'Users may not change lineUserId, the LINE user id to which codes go.',
    });
    expect((await ward.lines(variables())).map(({ check }) => check)).to.not.include('okta.line-user-id');
  });

  it('warns if nothing sends SMS or makes calls', async () => {
    expect(lineOf(await ward.lines(lineAlone()), 'twilio.variables')).to.deep.include({
      status: 'warn',
      message:
        'Not set, and no other provider sends SMS or makes calls: users who have not opted in get no code by the gateway.',
    });
  });

  it('accepts the OAuth variables of a gateway without a client secret, which get no token', async () => {
    const made = await ward.doctor('--json', {
      env: {
        ...variables(),
        HOOK_OAUTH_ISSUER: 'https://acme.okta.com/oauth2/default',
        HOOK_OAUTH_AUDIENCE: 'api://default',
        HOOK_OAUTH_CLIENT_ID: '0oahook',
        HOOK_OAUTH_SCOPE: 'telephony',
      },
    });
    expect(lineOf(linesOf(made), 'hook.variables').message).to.equal('Set, without a secret.');
  });
});
