import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '#harness/consumer.js';
import { HOOK_SECRET } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';
import { run } from '../runs.js';
import { lineOf, openWard, WITHOUT, type Line, type Ward } from './scene.js';

const CLIENT_ID = '0oahookclient0001d7';
const CLIENT_SECRET = 'client-secret-41bb90';
const ELSEWHERE = 'x-api-client-token';

describe('doctor checks the credentials that Okta sends to the gateway:', () => {
  let ward: Ward | undefined;
  const open = async (options?: Parameters<typeof openWard>[0]): Promise<Ward> =>
    (ward = await openWard(options));
  afterEach(async () => {
    await ward?.close();
    ward = undefined;
  });

  /**
   * Runs doctor, and closes the gateway. Returns the line about the secret, and the warnings in the gateway's log, without the
   * one of the first call.
   */
  const lookOnce = async (
    opened: Ward,
    env: Readonly<Record<string, string>>,
  ): Promise<{ readonly line: Line; readonly warnings: readonly string[] }> => {
    const { log } = opened.scene;
    const before = log.length;
    const lines = await opened.lines(env);
    // The gateway writes the lines of a minute when it closes.
    await opened.close();
    const [first, ...others] = log
      .slice(before)
      .filter(({ level }) => level === 'warn')
      .map(({ fields }) => `${String(fields['event'])} ${String(fields['code'] ?? fields['hook'])}`);
    expect(first).to.equal('caller.rejected inline');
    return { line: lineOf(lines, 'hook.secret'), warnings: others.toSorted() };
  };
  const UNSIGNED = 'request.rejected BAD_SIGNATURE';
  const ACCEPTED = 'request.rejected INVALID_REQUEST';
  const SECRET_LINES = [
    ['right', HOOK_SECRET, undefined],
    [
      'wrong',
      'another-hook-secret-1',
      undefined,
      'caller.rejected event',
      'caller.rejected inline',
      UNSIGNED,
    ],
    ['missing', '', undefined, UNSIGNED],
    ['short', 'short-one', 'short-one', UNSIGNED, ACCEPTED, ACCEPTED],
  ] as const;
  for (const [what, secret, ofGateway, ...warnings] of SECRET_LINES) {
    it(`a ${what} secret, with the warnings of the guide in the gateway's log`, async () => {
      mustNotShow('another-hook-secret-1');
      const hook = ofGateway && { scheme: 'header' as const, secrets: [ofGateway] };
      const opened = await open(hook && { setups: [], hook: () => ({ credentials: { hook } }) });
      expect((await lookOnce(opened, { HOOK_SECRET: secret })).warnings).to.deep.equal(warnings);
    });
  }

  it('and the guide names the events and the codes of these warnings', () => {
    const guide = readFileSync(join(ROOT, 'docs/run/check.md'), 'utf8');
    const [, section = ''] = guide.split("## Lines in the gateway's log\n");
    for (const word of new Set(`${UNSIGNED} ${ACCEPTED} caller.rejected inline event`.split(' ')))
      expect(section).to.match(new RegExp(`[\`"]${word}[\`"]`));
  });

  describe('a token', () => {
    const openFor = async (audience: string): Promise<Ward> => {
      mustNotShow(CLIENT_SECRET);
      const opened = await open({
        setups: [],
        hook: ({ okta }) => ({
          credentials: {
            hook: {
              scheme: 'oauth2',
              issuer: okta.issuer,
              audience,
              clientId: CLIENT_ID,
              scope: 'telephony',
            },
          },
        }),
      });
      const client = { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, scopes: ['telephony'] };
      opened.scene.okta.registerHookClient(client);
      // Fetches the issuer's keys. A request would wait for them only 800 ms, which a busy machine may exceed.
      await opened.scene.hook.ready();
      return opened;
    };
    const oauth = ({ scene }: Ward): Record<string, string> => ({
      HOOK_SECRET: '',
      HOOK_OAUTH_CLIENT_ID: CLIENT_ID,
      HOOK_OAUTH_TOKEN_URL: `${scene.okta.issuer}/v1/token`,
      HOOK_OAUTH_SCOPE: 'telephony',
      HOOK_OAUTH_CLIENT_SECRET: CLIENT_SECRET,
    });
    const secretLine = async (opened: Ward, env: Readonly<Record<string, string>>): Promise<Line> =>
      lineOf(await opened.lines(env), 'hook.secret');

    it('that the gateway accepts, with the warnings of the guide in its log', async () => {
      const opened = await openFor('api://default');
      const { line, warnings } = await lookOnce(opened, oauth(opened));
      expect(line).to.include({ status: 'ok' });
      expect(warnings).to.deep.equal([UNSIGNED, ACCEPTED].toSorted());
      expect(opened.scene.twilio.messages).to.deep.equal([]);
    });

    it('that the gateway refuses because of its audience, with the warnings of the guide in its log', async () => {
      const opened = await openFor('api://telephony');
      const { line, warnings } = await lookOnce(opened, oauth(opened));
      expect(line).to.include({ status: 'fail' });
      expect(line.message).to.include('does not accept the token');
      expect(line.remedy).to.include('audience');
      expect(warnings).to.deep.equal([UNSIGNED, 'caller.rejected inline'].toSorted());
    });

    it('that the authorization server does not issue, because the client secret is wrong', async () => {
      const opened = await openFor('api://default');
      const line = await secretLine(opened, { ...oauth(opened), HOOK_OAUTH_CLIENT_SECRET: 'of-nobody-here' });
      expect(line).to.include({ status: 'fail' });
      expect(line.remedy).to.include('HOOK_OAUTH_CLIENT_SECRET');
    });

    it('that only Okta can get, with a warning that doctor cannot test it', async () => {
      const opened = await openFor('api://default');
      const env = { ...oauth(opened), HOOK_OAUTH_CLIENT_SECRET: '', HOOK_OAUTH_KEY_ID: 'HKYdoctor000000001' };
      const line = await secretLine(opened, env);
      expect(line).to.include({ status: 'warn' });
      expect(line.message).to.include('could not test');
    });

    it('and reports variables that are missing or exclude each other, and calls without a mark', async () => {
      const opened = await openFor('api://default');
      const others = { ...WITHOUT.okta, ...WITHOUT.twilio };
      const unmarked = lineOf(await opened.lines({ ...oauth(opened), ...others }), 'hook.variables');
      expect(unmarked.message).to.include('Without a HOOK_SECRET of 16 characters');
      const { HOOK_OAUTH_CLIENT_ID: _, ...without } = oauth(opened);
      for (const [env, names] of [
        [{ ...without, HOOK_SECRET }, 'HOOK_OAUTH_CLIENT_ID is missing'],
        [{ HOOK_OAUTH_KEY_ID: 'HKYdoctor000000001' }, 'HOOK_OAUTH_TOKEN_URL is missing'],
        [{ ...oauth(opened), HOOK_OAUTH_KEY_ID: 'HKYdoctor000000001' }, 'HOOK_OAUTH_KEY_ID does not go with'],
      ] as const) {
        const line = lineOf(await opened.lines({ ...env, ...others }), 'hook.variables');
        expect(line, names).to.include({ status: 'fail' });
        expect(line.message).to.include(names);
      }
    });
  });

  describe('a secret in another header', () => {
    const openElsewhere = (): Promise<Ward> =>
      open({
        setups: [],
        hook: () => ({
          credentials: { hook: { scheme: 'header', name: ELSEWHERE, secrets: [HOOK_SECRET] } },
        }),
      });
    const CHECKS = ['hook.secret', 'hook.event-secret'];

    it('that --header names, with a warning without it if doctor cannot read the header from Okta', async () => {
      const { lines, scene } = await openElsewhere();
      const apiToken = scene.okta.addApiToken(['READ_ONLY_ADMIN']);
      mustNotShow(apiToken);
      const env = { OKTA_API_TOKEN: apiToken, ...WITHOUT.twilio };
      const unnamed = await lines(env);
      for (const check of CHECKS) {
        expect(lineOf(unnamed, check), check).to.include({ status: 'warn' });
        expect(lineOf(unnamed, check).message)
          .to.include('in the header Authorization')
          .and.include('could not read');
        expect(lineOf(unnamed, check).remedy).to.include('--header');
      }
      const found = await lines(env, `--header ${ELSEWHERE}`);
      for (const check of CHECKS) expect(lineOf(found, check), check).to.include({ status: 'ok' });
      const wrong = await lines(env, '--header x-of-nobody');
      for (const check of CHECKS) expect(lineOf(wrong, check), check).to.include({ status: 'fail' });
    });

    it('that only the event hook has in Okta', async () => {
      const { lines, scene } = await open({
        setups: [],
        hook: () => ({
          credentials: { eventHook: { scheme: 'header', name: ELSEWHERE, secrets: [HOOK_SECRET] } },
        }),
      });
      const env = { PUBLIC_URL: scene.url, HOOK_SECRET };
      for (const words of ['hook', `event-hook --header ${ELSEWHERE}`])
        expect((await run(scene.okta, `setup ${words} --yes`, { env })).code).to.equal(0);
      const found = await lines();
      for (const check of CHECKS) expect(lineOf(found, check), check).to.include({ status: 'ok' });
    });
  });
});
