import { exportJWK } from 'jose';
import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import type { OktaEmulator } from '#lib/testing/index.js';
import { ANA, CODE, HOOK_SECRET as OLD_SECRET, startScene, type Scene } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';
import { callApi, telephonyHook } from '../../testing/okta/client.js';
import { startTestServer } from '../../testing/local.js';
import { doneBy, run, writesTo, type Run, type RunOptions } from '../runs.js';

const NEW_SECRET = 'hook-secret-b27c01d9';
const THEIRS = 'https://otp.vendor.example/hook';
const HOOKS = '/api/v1/inlineHooks';

describe('setup hook', () => {
  let scene: Scene;
  let okta: OktaEmulator;
  const start = async (secrets: readonly string[] = [OLD_SECRET]): Promise<void> => {
    mustNotShow(...secrets);
    scene = await startScene({ hook: { credentials: { hook: { scheme: 'header', secrets } } } });
    okta = scene.okta;
  };
  beforeEach(() => start());
  afterEach(() => scene.close());

  const setUp = (options = '--yes', given: RunOptions = {}): Promise<Run> =>
    run(okta, `setup hook ${options}`.trim(), {
      ...given,
      env: { PUBLIC_URL: scene.url, HOOK_SECRET: OLD_SECRET, ...given.env },
    });
  const create = async (uri: string): Promise<string> => {
    const { body } = await callApi(okta, 'POST', HOOKS, telephonyHook(uri));
    return String(body['id']);
  };
  /** Whether Okta's hook, in its current state, sends a code. */
  const isCodeSent = async (): Promise<boolean> => {
    const call = { userId: ANA.id, phoneNumber: ANA.phone, otpCode: CODE, deliveryChannel: 'SMS' };
    return (await okta.callHook(call)).okta.action === 'sent';
  };
  const expectNoChangeBy = async (options?: string, given?: RunOptions): Promise<Run> => {
    const before = JSON.stringify(okta.inlineHooks);
    okta.requests.length = 0;
    const made = await setUp(options, given);
    expect(writesTo(okta)).to.be.empty;
    expect(JSON.stringify(okta.inlineHooks)).to.equal(before);
    return made;
  };

  describe('in a new org', () => {
    it('creates an active hook, through which Okta sends codes', async () => {
      const made = await setUp();
      expect(made.code, made.stderr).to.equal(0);
      expect(made.stderr).to.not.include('does not accept');
      expect(okta.inlineHooks).to.have.length(1);
      expect(okta.inlineHooks[0]).to.include({ name: 'Telephony gateway', status: 'ACTIVE' });
      expect(await isCodeSent()).to.equal(true);
    });

    it('changes nothing and asks no question when it runs again', async () => {
      await setUp();
      const made = await expectNoChangeBy('--json');
      expect(made.json()).to.include({ result: 'unchanged', id: okta.inlineHooks[0]?.id });
      // A slash at the end of the URL does not make it another hook.
      await expectNoChangeBy('', { env: { PUBLIC_URL: `${scene.url}/` } });
    });

    it('makes no request to the gateway with --skip-check', async () => {
      const made = await setUp('--yes --skip-check', { env: { PUBLIC_URL: 'http://127.0.0.1:9/hook' } });
      expect(made.code).to.equal(0);
      expect(made.stderr).to.not.include('127.0.0.1:9');
    });

    it('names the status that PUBLIC_URL answers with if it is not the hook', async () => {
      const other = await startTestServer();
      const made = await setUp('--yes', { env: { PUBLIC_URL: other.url } });
      expect(made.stderr).to.include('answered 204');
      other.close();
    });

    it('finds the hook that it created if the answer to its request was lost', async () => {
      const match = ({ method }: { method: string }): boolean => method === 'POST';
      okta.fault({ fault: { kind: 'reset', delivered: true }, times: 1, match });
      const made = await setUp('--yes --json');
      expect(doneBy(made)).to.deep.equal(['Create the telephony inline hook']);
      expect(okta.inlineHooks).to.have.length(1);
    });
  });

  describe('in an org with a hook of this URL', () => {
    it('activates an inactive hook, and keeps its name', async () => {
      const id = await create(scene.url);
      await callApi(okta, 'POST', `${HOOKS}/${id}/lifecycle/deactivate`);
      const made = await setUp('--yes --json');
      expect(doneBy(made)).to.deep.equal([`Activate the telephony inline hook ${id}`]);
      expect(okta.inlineHooks).to.have.length(1);
      expect(okta.inlineHooks[0]).to.include({ name: 'Codes', status: 'ACTIVE' });
    });

    it('changes name and header of the hook in place with --name and --header', async () => {
      await setUp();
      const before = okta.inlineHooks[0]?.id;
      const made = await setUp('--yes --json --name Codes --header x-api-client-token --skip-check');
      expect(made.json()).to.deep.nested.include({
        'done[0].changes[0]': { field: 'name', from: 'Telephony gateway', to: 'Codes' },
        'done[0].changes[1]': {
          field: 'authentication',
          from: 'header Authorization',
          to: 'header x-api-client-token',
        },
      });
      expect(okta.inlineHooks[0]).to.include({ id: before, name: 'Codes' });
      // Without --header the header stays.
      await expectNoChangeBy('--json');
    });
  });

  describe("in an org with another vendor's hook", () => {
    it('fails and does not change that hook, even with --yes', async () => {
      const id = await create(THEIRS);
      const made = await expectNoChangeBy('--yes --json');
      expect(made.code).to.equal(1);
      expect(made.json()).to.deep.nested.include({ result: 'failed', 'error.code': 'IN_THE_WAY' });
      expect(made.stderr).to.include(`--replace ${id}`).and.include('otp.vendor.example');
    });

    it('changes that hook in place with --replace, so that the org always has a hook', async () => {
      const id = await create(THEIRS);
      const made = await setUp(`--yes --json --replace ${id}`);
      expect(made.code, made.stderr).to.equal(0);
      expect(okta.inlineHooks).to.have.length(1);
      expect(okta.inlineHooks[0]).to.include({ id, status: 'ACTIVE', name: 'Telephony gateway' });
      expect(writesTo(okta).at(-1)).to.equal(`PUT ${HOOKS}/${id}`);
      expect(await isCodeSent()).to.equal(true);
      await expectNoChangeBy(`--json --replace ${id}`);
      await expectNoChangeBy('--json');
    });

    it('hides the query of its URL, which may contain a secret', async () => {
      mustNotShow('their-client-token');
      const id = await create(`${THEIRS}?clientToken=their-client-token`);
      const made = await setUp(`--yes --replace ${id}`);
      expect(made.stdout).to.include(`${THEIRS}?… -> ${scene.url}`);
    });

    it('fails if the org has no hook with the id of --replace', async () => {
      await create(THEIRS);
      const made = await expectNoChangeBy('--yes --replace calnobodys');
      expect(made.code).to.equal(1);
      expect(made.stderr).to.include('no telephony inline hook calnobodys');
    });

    it('does not change that hook if it is inactive, and creates its own', async () => {
      const id = await create(THEIRS);
      await callApi(okta, 'POST', `${HOOKS}/${id}/lifecycle/deactivate`);
      const made = await setUp();
      expect(made.code).to.equal(0);
      expect(made.stderr).to.include('Not changed');
      expect(okta.inlineHooks.map(({ status }) => status)).to.deep.equal(['INACTIVE', 'ACTIVE']);
    });

    it('does not activate its own hook beside an active one', async () => {
      const ours = await create(scene.url);
      await callApi(okta, 'POST', `${HOOKS}/${ours}/lifecycle/deactivate`);
      await create(THEIRS);
      const made = await expectNoChangeBy('--yes');
      expect(made.code).to.equal(1);
      expect(made.stderr).to.include('is not active');
    });

    it('fails if that hook appears while the command waits for the answer', async () => {
      const meddle = async (): Promise<string> => {
        await create(THEIRS);
        return 'y';
      };
      const made = await setUp('', { answers: [meddle] });
      expect(made.code).to.equal(1);
      expect(made.stderr).to.include('Another telephony inline hook is active');
      expect(okta.inlineHooks).to.have.length(1);
    });

    it('fails if that hook appears while the request waits for the rate limit', async () => {
      const match = ({ method }: { method: string }): boolean => method === 'POST';
      okta.fault({ fault: { kind: 'status', status: 429, body: {} }, times: 1, match });
      // Another vendor's hook is created while the request waits for the rate limit.
      const time = {
        now: Date.now,
        sleep: async () => {
          await create(THEIRS);
        },
      };
      const made = await setUp('--yes', { time });
      expect(made.code).to.equal(1);
      expect(made.stderr).to.include('Another telephony inline hook is active');
      expect(okta.inlineHooks).to.have.length(1);
    });
  });

  describe('gives Okta a new secret', () => {
    const secretAtOkta = (): string | undefined => okta.inlineHooks[0]?.channel.authScheme?.value;

    it('if the gateway has the new and the previous one, and codes go out before and after', async () => {
      await scene.close();
      await start([NEW_SECRET, OLD_SECRET]);
      await setUp();
      expect(await isCodeSent()).to.equal(true);
      const time = { now: Date.now, sleep: () => Promise.resolve() };
      const made = await setUp('--yes --rotate --json', { time, env: { HOOK_SECRET: NEW_SECRET } });
      expect(made.code, made.stderr).to.equal(0);
      expect(secretAtOkta()).to.equal(NEW_SECRET);
      // The gateway logs the test of the secret apart from attacks.
      const rejected = scene.events.map(({ type }) => type).filter((type) => type.endsWith('.rejected'));
      expect(rejected.at(-1)).to.equal('probe.rejected');
      expect(await isCodeSent()).to.equal(true);
      expect(JSON.stringify(made.json()['next'])).to.include('setup event-hook --rotate');
    });

    it('only if the gateway accepts it', async () => {
      await setUp();
      mustNotShow(NEW_SECRET);
      const made = await expectNoChangeBy('--yes --rotate --json', { env: { HOOK_SECRET: NEW_SECRET } });
      expect(made.code).to.equal(1);
      expect(made.json()).to.have.nested.property('error.code', 'SECRET_REFUSED');
      expect(secretAtOkta()).to.equal(OLD_SECRET);
    });

    it('only with --skip-check if the gateway is not reachable', async () => {
      const env = { PUBLIC_URL: 'http://127.0.0.1:9/hook' };
      await setUp('--yes', { env });
      const made = await expectNoChangeBy('--yes --rotate --json', { env });
      expect(made.code).to.equal(1);
      expect(made.json()).to.have.nested.property('error.code', 'SECRET_UNCHECKED');
      expect((await setUp('--yes --rotate --skip-check', { env })).code).to.equal(0);
    });

    it('in a second try if the first request fails', async () => {
      await setUp();
      const match = ({ method }: { method: string }): boolean => method === 'PUT';
      okta.fault({ fault: { kind: 'reset' }, times: 1, match });
      const made = await setUp('--yes --rotate --json');
      expect(made.code, made.stderr).to.equal(0);
      expect(doneBy(made)).to.have.length(1);
    });
  });

  describe('sets the hook up for OAuth 2.0', () => {
    const CLIENT_SECRET = 'client-secret-77aa31';
    const oauth = (): Record<string, string> => ({
      HOOK_OAUTH_CLIENT_ID: '0oahookclient0001d7',
      HOOK_OAUTH_TOKEN_URL: `${okta.issuer}/v1/token`,
      HOOK_OAUTH_SCOPE: 'telephony',
    });
    beforeEach(() => {
      mustNotShow(CLIENT_SECRET);
      okta.registerHookClient({
        clientId: '0oahookclient0001d7',
        clientSecret: CLIENT_SECRET,
        scopes: ['telephony'],
      });
    });

    it('with a client secret, which it checks at the authorization server', async () => {
      const env = { ...oauth(), HOOK_OAUTH_CLIENT_SECRET: CLIENT_SECRET };
      const made = await setUp('--yes', { env });
      expect(made.code, made.stderr).to.equal(0);
      expect(made.stderr).to.not.include('does not accept');
      expect(okta.inlineHooks[0]?.channel.oauth).to.include({
        authType: 'client_secret_post',
        clientSecret: CLIENT_SECRET,
      });
      await expectNoChangeBy('--json', { env });
      const wrong = { ...env, HOOK_OAUTH_CLIENT_SECRET: 'of-another-client' };
      expect((await expectNoChangeBy('--yes --rotate', { env: wrong })).stderr).to.include('does not accept');
    });

    it('with a hook key instead of the header', async () => {
      await setUp();
      const { body } = await callApi(okta, 'POST', '/api/v1/hook-keys', { name: 'ours' });
      const env = { ...oauth(), HOOK_OAUTH_KEY_ID: String(body['id']) };
      const made = await setUp('--yes --json', { env });
      expect(made.code, made.stderr).to.equal(0);
      expect(okta.inlineHooks[0]?.channel.oauth).to.include({
        authType: 'private_key_jwt',
        hookKeyId: body['id'],
      });
      expect(okta.inlineHooks).to.have.length(1);
      await expectNoChangeBy('--json', { env });
      expect((await expectNoChangeBy('--yes --rotate', { env })).code).to.equal(2);
    });

    it('and refuses a secret together with a key, and missing variables', async () => {
      const both = { ...oauth(), HOOK_OAUTH_CLIENT_SECRET: CLIENT_SECRET, HOOK_OAUTH_KEY_ID: 'HKY1' };
      expect((await expectNoChangeBy('--yes', { env: both })).code).to.equal(2);
      const made = await expectNoChangeBy('--yes', { env: { HOOK_OAUTH_CLIENT_ID: 'x' } });
      expect(made.code).to.equal(2);
      for (const name of ['TOKEN_URL', 'SCOPE', 'CLIENT_SECRET'])
        expect(made.stderr).to.include(`HOOK_OAUTH_${name}`);
    });
  });

  describe("looks at the org's own telephony", () => {
    it('and warns of an active provider', async () => {
      okta.setTelephonyProviders([{ providerName: 'TWILIO' }, { providerName: 'TELESIGN', enabled: false }]);
      const made = await setUp('--yes --json');
      expect(made.code).to.equal(0);
      expect(JSON.stringify(made.json()['warnings'])).to.include('TWILIO').and.not.include('TELESIGN');
    });

    it('only after Okta has accepted the credential: a bad token is reported first', async () => {
      const { code, stderr } = await setUp('--yes', { env: { OKTA_API_TOKEN: 'of-another-org-0123456789' } });
      expect(code).to.equal(1);
      expect(stderr)
        .to.match(/^✘ .*OKTA_API_TOKEN/s)
        .and.not.include('telephony provider');
    });

    it('and goes on if a service app may not read it', async () => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const scopes = ['okta.inlineHooks.read', 'okta.inlineHooks.manage'];
      okta.registerServiceApp({ clientId: '0oasetup', publicJwk: await exportJWK(publicKey), scopes });
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const env = { OKTA_API_TOKEN: undefined, OKTA_CLIENT_ID: '0oasetup', OKTA_PRIVATE_KEY: pem };
      const made = await setUp('--yes', { env });
      expect(made.code, made.stderr).to.equal(0);
      expect(made.stderr).to.include('okta.customTelephonyProvider.read');
    });
  });

  it('names each missing and each wrong variable', async () => {
    const made = await setUp('--yes', {
      env: { PUBLIC_URL: '', HOOK_SECRET: ' spaced ', OKTA_ORG_URL: 'acme' },
    });
    expect(made.code).to.equal(2);
    for (const name of ['PUBLIC_URL', 'HOOK_SECRET', 'OKTA_ORG_URL']) expect(made.stderr).to.include(name);
    expect((await setUp('--yes', { env: { HOOK_SECRET: '' } })).stderr).to.include('HOOK_SECRET is missing');
    expect((await setUp('--yes --header a:b')).code).to.equal(2);
  });
});
