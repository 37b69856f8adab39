import { expect } from 'chai';
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet } from 'jose';
import * as client from 'openid-client';
import { startOktaEmulator, type OktaEmulator, type RecordedRequest } from '#lib/testing/index.js';
import { visitOkta, type OktaVisit } from '#harness/okta-sign-in.js';
import { rejection, startTestServer, type TestServer } from '../../local.js';
import { callApi, eventHook, telephonyHook } from '../client.js';

const APP = {
  clientId: '0oawebapp0000000001',
  clientSecret: 'a secret: with signs & more',
  redirectUri: 'http://localhost:3000/login/callback',
};

describe('startOktaEmulator: sign-in to a web app', () => {
  let now: number;
  let okta: OktaEmulator;
  let hook: TestServer;
  let answer: object;
  let config: client.Configuration;
  const verifier = client.randomPKCECodeVerifier();

  const codes = (): string[] =>
    hook.received.flatMap(({ body }) => /"otpCode":"(\d{6})"/.exec(body)?.[1] ?? []);
  const lastCode = (): string => codes().at(-1) ?? expect.fail('the hook was not called');
  const factors = (): unknown[] =>
    okta.eventDeliveries.map(({ events: [event] }) => [
      event?.outcome.result,
      event?.debugContext.debugData['factor'],
    ]);
  const sent = { commands: [{ type: 'com.okta.telephony.action', value: [{ status: 'SUCCESSFUL' }] }] };

  beforeEach(async () => {
    now = Date.now();
    answer = sent;
    okta = await startOktaEmulator({ clock: () => now });
    hook = await startTestServer((response, { headers }) => {
      const verification = headers['x-okta-verification-challenge'];
      response.writeHead(200).end(JSON.stringify(verification === undefined ? answer : { verification }));
    });
    const phone = '+447700900123';
    okta.addUser({
      id: '00uana0silveira00001',
      login: 'ana@example.com',
      phoneFactors: [
        { factorType: 'sms', phoneNumber: phone },
        { factorType: 'call', phoneNumber: '+447700900145' },
      ],
      profile: { preferredLanguage: 'fr-FR' },
      groups: ['Gateway <admins>'],
    });
    await callApi(okta, 'POST', '/api/v1/inlineHooks', telephonyHook(hook.url));
    const made = await callApi(okta, 'POST', '/api/v1/eventHooks', eventHook(hook.url));
    await callApi(okta, 'POST', `/api/v1/eventHooks/${String(made.body['id'])}/lifecycle/verify`);
    okta.registerApp(APP);
    config = await client.discovery(
      new URL(okta.orgUrl),
      APP.clientId,
      undefined,
      client.ClientSecretBasic(APP.clientSecret),
      { execute: [client.allowInsecureRequests] },
    );
  });
  afterEach(async () => {
    hook.close();
    await okta.close();
  });

  const authorizeUrl = async (more: Readonly<Record<string, string>> = {}): Promise<string> =>
    client.buildAuthorizationUrl(config, {
      redirect_uri: APP.redirectUri,
      scope: 'openid profile email groups',
      state: 'a-state',
      nonce: 'a-nonce',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...more,
    }).href;
  const visit = async (url?: string): Promise<OktaVisit> => visitOkta(url ?? (await authorizeUrl()));
  const signIn = async (by = 'sms', url?: string): Promise<string> => {
    const page = await visit(url);
    await page.post({ username: 'ana@example.com' });
    await page.post({ by });
    return page.post({ code: lastCode() });
  };
  const redeem = (back: string, of = config, pkceCodeVerifier: string | null = verifier) =>
    client.authorizationCodeGrant(of, new URL(back), {
      ...(pkceCodeVerifier === null ? {} : { pkceCodeVerifier }),
      expectedState: 'a-state',
      expectedNonce: 'a-nonce',
    });

  it('calls the hook for the code, delivers the event, and issues an ID token of the user to the app', async () => {
    const back = await signIn();
    expect(back).to.match(/^http:\/\/localhost:3000\/login\/callback\?code=\w+&state=a-state$/);
    const claims = (await redeem(back)).claims();
    expect(claims).to.include({
      iss: okta.orgUrl,
      aud: APP.clientId,
      sub: '00uana0silveira00001',
      preferred_username: 'ana@example.com',
      email: 'ana@example.com',
    });
    expect(claims).to.deep.include({ groups: ['Everyone', 'Gateway <admins>'], amr: ['sms'] });
    expect(factors()).to.deep.equal([['SUCCESS', 'SMS_FACTOR']]);
    const [, call = ''] = hook.received.map(({ body }) => body);
    expect(JSON.parse(call)).to.nested.include({
      requestType: 'com.okta.user.telephony.mfa-verification',
      'data.messageProfile.locale': 'FR-FR',
      'data.messageProfile.phoneNumber': '+447700900123',
    });
  });

  it('makes a voice call to the call factor of a user who chooses a call', async () => {
    const page = await visit();
    expect(await page.post({ username: 'ANA' }))
      .to.match(/Text message .*23</)
      .and.match(/Voice call .*45</);
    expect(await page.post({ by: 'call' })).to.match(/called at the number ending in 45/);
    expect(hook.received.at(-1)?.body).to.include('"deliveryChannel":"VOICE_CALL"').and.include('900145');
    const back = await page.post({ code: ` ${lastCode().slice(0, 3)} ${lastCode().slice(3)}` });
    expect((await redeem(back)).claims()).to.deep.include({ amr: ['tel'] });
    expect(factors()).to.deep.equal([['SUCCESS', 'CALL_FACTOR']]);
  });

  it('reports a wrong code, and accepts no code after three wrong ones until it sends another', async () => {
    const page = await visit();
    await page.post({ username: 'ana' });
    await page.post({ by: 'sms' });
    const first = lastCode();
    const wrong = first === '111111' ? '222222' : '111111';
    expect(await page.post({ code: wrong })).to.match(/role="alert">The code is wrong/);
    expect(await page.post({ code: wrong })).to.match(/The code is wrong/);
    expect(await page.post({ code: wrong })).to.match(/Too many wrong codes.*How do you want/s);
    // The page accepts no code now, not even the right one.
    expect(await page.post({ code: first })).to.match(/How do you want/);
    await page.post({ by: 'sms' });
    expect(await page.post({ code: lastCode() })).to.include(APP.redirectUri);
    expect(factors().map((factor) => (factor as string[])[0])).to.deep.equal([
      'FAILURE',
      'FAILURE',
      'FAILURE',
      'SUCCESS',
    ]);
  });

  it('sends another code, and accepts neither the older one nor an expired one', async () => {
    const page = await visit();
    await page.post({ username: 'ana' });
    await page.post({ by: 'sms' });
    const first = lastCode();
    expect(await page.post({ again: 'yes' })).to.match(/How do you want/);
    await page.post({ by: 'sms' });
    if (first !== lastCode()) expect(await page.post({ code: first })).to.match(/The code is wrong/);
    now += 5 * 60_000;
    expect(await page.post({ code: lastCode() })).to.match(/The code has expired/);
  });

  it('shows the error of the hook and offers the factors again if the hook does not send the code', async () => {
    answer = { error: { errorSummary: 'No <number> of a phone.' } };
    const page = await visit();
    await page.post({ username: 'ana' });
    expect(await page.post({ by: 'sms' }))
      .to.match(/role="alert">.*No &lt;number&gt; of a phone\./)
      .and.match(/How do you want/);
    answer = sent;
    expect(await page.post({ by: 'sms' }))
      .to.match(/on its way/)
      .and.not.match(/role="alert"/);
  });

  it('shows an error for a user who is unknown, not active or without a phone, and else offers the profile phone', async () => {
    okta.addUser({
      login: 'locked@example.com',
      status: 'LOCKED_OUT',
      profile: { mobilePhone: '+12025550142' },
    });
    okta.addUser({ login: 'nophone@example.com' });
    okta.addUser({ login: 'mobile@example.com', profile: { mobilePhone: '+12025550142' } });
    const page = await visit();
    for (const username of ['nobody', 'locked', 'me', '']) {
      expect(await page.post({ username })).to.match(/no active user/);
    }
    expect(await page.post({ username: 'nophone' })).to.match(/enrolled no phone/);
    expect(await page.post({ username: 'mobile' }))
      .to.match(/Text message .*42</)
      .and.match(/Voice call .*42</);
  });

  it('redirects with access_denied when the user cancels, and ends the page then or after ten minutes', async () => {
    const page = await visit();
    expect(await page.post({ cancel: 'yes' })).to.match(/callback\?error=access_denied&.*state=a-state$/);
    expect(await page.read()).to.match(/has ended or expired/);
    const late = await visit();
    now += 10 * 60_000;
    expect(await late.read()).to.match(/has ended or expired/);
    expect(await late.post({ username: 'ana' })).to.match(/has ended or expired/);
  });

  it('answers 400 without a redirect to an unregistered app or redirect URI', async () => {
    for (const more of [{ client_id: 'nobody' }, { redirect_uri: `${APP.redirectUri}/` }]) {
      const response = await fetch(await authorizeUrl(more), { redirect: 'manual' });
      expect(response.status).to.equal(400);
      expect(await response.text()).to.match(/You cannot sign in/);
    }
  });

  it('redirects an invalid authorization request to the app with the OAuth error of Okta', async () => {
    const refused = async (more: Readonly<Record<string, string>>): Promise<string | null> => {
      const response = await fetch(await authorizeUrl(more), { redirect: 'manual' });
      const back = new URL(response.headers.get('location') ?? '');
      expect(back.href.startsWith(APP.redirectUri)).to.equal(true);
      return back.searchParams.get('error');
    };
    expect(await refused({ response_type: 'token' })).to.equal('unsupported_response_type');
    expect(await refused({ scope: 'profile' })).to.equal('invalid_scope');
    expect(await refused({ state: '' })).to.equal('invalid_request');
    expect(await refused({ code_challenge_method: 'plain' })).to.equal('invalid_request');
    expect(await refused({ code_challenge: '' })).to.equal('invalid_request');
    expect(await refused({ prompt: 'none' })).to.equal('login_required');
    expect(await refused({ response_mode: 'okta_post_message' })).to.equal('invalid_request');
    expect(await refused({ response_type: 'id_token', response_mode: 'query' })).to.equal('invalid_request');
  });

  it('requires PKCE of a public app only, and checks the verifier of whoever uses it', async () => {
    const withoutPkce = async (): Promise<string> => {
      const url = new URL(await authorizeUrl());
      url.searchParams.delete('code_challenge');
      url.searchParams.delete('code_challenge_method');
      return url.href;
    };
    const back = await signIn('sms', await withoutPkce());
    expect((await redeem(back, config, null)).claims()?.sub).to.equal('00uana0silveira00001');
    const refusal = async (grant: Promise<unknown>): Promise<unknown> =>
      ((await rejection(grant)) as client.ResponseBodyError).error;
    // Whoever sees the code can neither leave PKCE out nor add it.
    expect(await refusal(redeem(await signIn(), config, null))).to.equal('invalid_grant');
    expect(await refusal(redeem(await signIn('sms', await withoutPkce())))).to.equal('invalid_grant');
    okta.registerApp({ clientId: APP.clientId, redirectUri: APP.redirectUri });
    const { headers } = await fetch(await withoutPkce(), { redirect: 'manual' });
    expect(headers.get('location')).to.match(/error=invalid_request.*PKCE/);
  });

  it('answers userinfo by the scopes of an access token, until it expires or is revoked', async () => {
    okta.updateUser('ana@example.com', { locale: 'en_GB', timezone: 'Europe/London' });
    const tokens = await redeem(await signIn());
    const claims = await client.fetchUserInfo(config, tokens.access_token, '00uana0silveira00001');
    expect(claims).to.deep.equal({
      ...{ sub: '00uana0silveira00001', name: 'Ana Silva', given_name: 'Ana', family_name: 'Silva' },
      ...{ preferred_username: 'ana@example.com', locale: 'en_GB', zoneinfo: 'Europe/London' },
      ...{ email: 'ana@example.com', email_verified: true, groups: ['Everyone', 'Gateway <admins>'] },
    });
    const few = await redeem(await signIn('sms', await authorizeUrl({ scope: 'openid' })));
    const ask = (token: string): Promise<Response> =>
      fetch(`${okta.orgUrl}/oauth2/v1/userinfo`, { headers: { authorization: `Bearer ${token}` } });
    expect(await (await ask(few.access_token)).json()).to.deep.equal({ sub: '00uana0silveira00001' });
    for (const token of ['', 'nonsense', okta.apiToken, tokens.id_token ?? '']) {
      const { status, headers } = await ask(token);
      expect([status, headers.get('www-authenticate')]).to.deep.equal([
        401,
        'Bearer error="invalid_token", error_description="The access token is invalid"',
      ]);
    }
    await client.tokenRevocation(config, few.access_token);
    expect((await ask(few.access_token)).status).to.equal(401);
    expect((await ask(tokens.access_token)).status).to.equal(200);
    const revoke = await fetch(`${okta.orgUrl}/oauth2/v1/revoke`, {
      method: 'POST',
      body: new URLSearchParams({ token: tokens.access_token, client_id: APP.clientId }),
    });
    expect(revoke.status).to.equal(401);
    now += 3_600_000;
    expect((await ask(tokens.access_token)).status).to.equal(401);
  });

  it('signs out to an address of the app, with its state, also after the ID token has expired', async () => {
    const { id_token: hint = '' } = await redeem(await signIn());
    now += 2 * 3_600_000;
    const logout = async (fields: Readonly<Record<string, string>>): Promise<[number, string]> => {
      const { href } = client.buildEndSessionUrl(config, fields);
      const response = await fetch(href, { redirect: 'manual' });
      return [response.status, response.headers.get('location') ?? (await response.text())];
    };
    const home = 'http://localhost:3000/bye?from=okta';
    expect(await logout({ id_token_hint: hint, post_logout_redirect_uri: home, state: 'a b' })).to.deep.equal(
      [302, `${home}&state=a+b`],
    );
    expect((await logout({ id_token_hint: hint }))[1]).to.match(/You have signed out/);
    for (const fields of [
      { post_logout_redirect_uri: home },
      { id_token_hint: `${hint.slice(0, -9)}AAAAAAAAA`, post_logout_redirect_uri: home },
      { id_token_hint: hint, post_logout_redirect_uri: 'http://localhost:3001/' },
      { id_token_hint: hint, post_logout_redirect_uri: 'nowhere' },
    ]) {
      const [status, text] = await logout(fields);
      expect(status).to.equal(400);
      expect(text).to.match(/You cannot sign out/);
    }
    okta.registerApp({ ...APP, postLogoutRedirectUri: 'http://localhost:3000/out' });
    expect((await logout({ id_token_hint: hint, post_logout_redirect_uri: home }))[0]).to.equal(400);
    const posted = await fetch(`${okta.orgUrl}/oauth2/v1/logout`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({
        id_token_hint: hint,
        post_logout_redirect_uri: 'http://localhost:3000/out',
      }),
    });
    expect([posted.status, posted.headers.get('location')]).to.deep.equal([302, 'http://localhost:3000/out']);
  });

  it('issues ID tokens and JWTs as access tokens by its custom authorization server', async () => {
    config = await client.discovery(
      new URL(okta.issuer),
      APP.clientId,
      undefined,
      client.ClientSecretPost(APP.clientSecret),
      { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
    );
    const tokens = await redeem(await signIn());
    expect(tokens.claims()).to.include({ iss: okta.issuer, aud: APP.clientId, sub: '00uana0silveira00001' });
    const { payload } = await jwtVerify(
      tokens.access_token,
      createLocalJWKSet((await (await fetch(`${okta.issuer}/v1/keys`)).json()) as JSONWebKeySet),
      { issuer: okta.issuer, audience: 'api://default' },
    );
    expect(payload).to.deep.include({
      cid: APP.clientId,
      uid: '00uana0silveira00001',
      sub: 'ana@example.com',
    });
    expect(payload['scp']).to.deep.equal(['openid', 'profile', 'email', 'groups']);
    // Each server knows its own tokens only.
    const atOrg = { headers: { authorization: `Bearer ${tokens.access_token}` } };
    expect((await fetch(`${okta.orgUrl}/oauth2/v1/userinfo`, atOrg)).status).to.equal(401);
    expect((await fetch(`${okta.issuer}/v1/userinfo`, atOrg)).status).to.equal(200);
    const { origin } = new URL(APP.redirectUri);
    const atOrgToo = { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: origin };
    const { href } = client.buildEndSessionUrl(config, atOrgToo);
    expect((await fetch(href, { redirect: 'manual' })).status).to.equal(302);
    const elsewhere = href.replace(okta.issuer, `${okta.orgUrl}/oauth2`);
    expect((await fetch(elsewhere, { redirect: 'manual' })).status).to.equal(400);
  });

  it('returns an ID token at once, in the fragment or by a form that posts itself', async () => {
    const idTokenUrl = (more: Readonly<Record<string, string>>): Promise<string> =>
      authorizeUrl({ response_type: 'id_token', ...more });
    const back = new URL(await signIn('sms', await idTokenUrl({})));
    const token = new URLSearchParams(back.hash.slice(1)).get('id_token') ?? '';
    expect(decodeJwt(token)).to.include({ aud: APP.clientId, nonce: 'a-nonce', name: 'Ana Silva' });
    expect(decodeJwt(token)).to.not.have.property('at_hash');
    const form = await signIn('sms', await idTokenUrl({ response_mode: 'form_post' }));
    expect(form).to.include(`<form method="post" action="${APP.redirectUri}">`);
    expect(form).to.match(/name="id_token" value="[\w.-]+">.*name="state" value="a-state"/);
    const bare = await fetch((await idTokenUrl({})).replace('nonce=a-nonce', ''), { redirect: 'manual' });
    expect(bare.headers.get('location')).to.match(/#error=invalid_request.*nonce/);
  });

  it('redeems a code once, within 60 seconds, and only for its app with the right verifier and secret', async () => {
    const refusal = (grant: Promise<unknown>): Promise<unknown> =>
      grant.then(
        () => 'taken',
        (error: unknown) => (error as client.ResponseBodyError).error,
      );
    const back = await signIn();
    await redeem(back);
    expect(await refusal(redeem(back))).to.equal('invalid_grant');
    expect(await refusal(redeem(await signIn(), config, client.randomPKCECodeVerifier()))).to.equal(
      'invalid_grant',
    );
    const late = await signIn();
    now += 60_000;
    expect(await refusal(redeem(late))).to.equal('invalid_grant');

    const as = (clientId: string, authentication: client.ClientAuth): client.Configuration => {
      const other = new client.Configuration(config.serverMetadata(), clientId, undefined, authentication);
      client.allowInsecureRequests(other);
      return other;
    };
    okta.registerApp({ ...APP, clientId: 'other' });
    const wrongSecret = as(APP.clientId, client.ClientSecretPost('wrong'));
    expect(await refusal(redeem(await signIn(), wrongSecret))).to.equal('invalid_client');
    expect(await refusal(redeem(await signIn(), as(APP.clientId, client.None())))).to.equal('invalid_client');
    const other = as('other', client.ClientSecretPost(APP.clientSecret));
    expect(await refusal(redeem(await signIn(), other))).to.equal('invalid_grant');
    expect(
      await refusal(redeem(await signIn(), as(APP.clientId, client.ClientSecretPost(APP.clientSecret)))),
    ).to.equal('taken');
  });

  it('redeems the code of a public app with PKCE alone', async () => {
    okta.registerApp({ clientId: APP.clientId, redirectUri: APP.redirectUri });
    const open = new client.Configuration(config.serverMetadata(), APP.clientId, undefined, client.None());
    client.allowInsecureRequests(open);
    expect((await redeem(await signIn(), open)).claims()?.sub).to.equal('00uana0silveira00001');
  });

  it('reports hook calls and entered codes to listeners, and a listener can change the payload', async () => {
    const seen: unknown[] = [];
    okta.onHookCall((payload) => {
      Object.assign(payload as object, { eventId: 'changed' });
      return ({ okta: { action } }) => seen.push(action);
    });
    okta.onCodeEntered((userId, { isRight }) => seen.push([userId, isRight]));
    const page = await visit();
    await page.post({ username: 'ana' });
    await page.post({ by: 'sms' });
    expect(hook.received.at(-1)?.body).to.include('"eventId":"changed"');
    await page.post({ code: lastCode() });
    expect(seen).to.deep.equal(['sent', ['00uana0silveira00001', true]]);
  });

  it('applies faults to its OAuth endpoints', async () => {
    const isKeys = ({ path }: RecordedRequest): boolean => path === '/oauth2/v1/keys';
    okta.fault({ fault: { kind: 'status', status: 503 }, match: isKeys });
    const back = await signIn();
    await redeem(back).catch(() => undefined);
    expect((await fetch(`${okta.orgUrl}/oauth2/v1/keys`)).status).to.equal(503);
  });
});
