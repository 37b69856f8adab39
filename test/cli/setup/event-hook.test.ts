import { expect } from 'chai';
import type { OktaEmulator } from '#lib/testing/index.js';
import { ANA, HOOK_SECRET, startScene, type Scene } from '#harness/scene.js';
import { callApi, eventHook } from '../../testing/okta/client.js';
import { doneBy, run, writesTo, type Run, type RunOptions } from '../runs.js';

const HOOKS = '/api/v1/eventHooks';
const NEW_SECRET = 'hook-secret-b27c01d9';

describe('setup event-hook', () => {
  let scene: Scene;
  let okta: OktaEmulator;
  beforeEach(async () => {
    scene = await startScene({
      hook: { credentials: { hook: { scheme: 'header', secrets: [HOOK_SECRET, NEW_SECRET] } } },
    });
    okta = scene.okta;
  });
  afterEach(() => scene.close());

  const setUp = (options = '--yes --json', given: RunOptions = {}): Promise<Run> =>
    run(okta, `setup event-hook ${options}`, {
      ...given,
      env: { PUBLIC_URL: scene.url, HOOK_SECRET, ...given.env },
    });
  const ours = () => okta.eventHooks.find(({ channel }) => channel.uri === `${scene.url}/events`);
  const getsSignIns = async (): Promise<boolean> => {
    const deliveries = await okta.userSignedIn(ANA.id);
    return deliveries.some(({ hookId, isDelivered }) => hookId === ours()?.id && isDelivered);
  };
  const expectNoChange = async (): Promise<void> => {
    okta.requests.length = 0;
    expect((await setUp('--json')).json()).to.include({ result: 'unchanged', id: ours()?.id });
    expect(writesTo(okta)).to.be.empty;
  };
  const create = async (body: object): Promise<string> =>
    String((await callApi(okta, 'POST', HOOKS, body)).body['id']);

  it('creates the event hook and has Okta verify it, so that Okta reports sign-ins', async () => {
    const made = await setUp();
    expect(made.code, made.stderr).to.equal(0);
    expect(doneBy(made)).to.deep.equal(['Create the event hook', 'Have Okta verify the event hook']);
    expect(await getsSignIns()).to.equal(true);
    await expectNoChange();
  });

  it('does not change an event hook of another URL', async () => {
    const before = await create(eventHook('https://siem.example/events'));
    expect((await setUp()).code).to.equal(0);
    expect(okta.eventHooks.map(({ id }) => id === before)).to.deep.equal([true, false]);
    expect(okta.eventHooks[0]?.channel.uri).to.equal('https://siem.example/events');
  });

  it('fails if Okta cannot verify the event hook, and has it verified in the next run', async () => {
    // No server listens at this URL.
    const env = { PUBLIC_URL: 'http://127.0.0.1:9/okta/telephony' };
    const made = await setUp('--yes --json', { env });
    expect(made.code).to.equal(1);
    expect(made.stderr).to.include('could not verify').and.include('PUBLIC_URL + /events');
    expect(doneBy(made)).to.deep.equal(['Create the event hook']);
    await create(eventHook(`${scene.url}/events`, HOOK_SECRET));
    const again = await setUp();
    expect(doneBy(again)).to.deep.equal(['Have Okta verify the event hook']);
    expect(await getsSignIns()).to.equal(true);
  });

  it('adds the missing events, and keeps other events, the filter and the description', async () => {
    const items = ['user.account.lock', 'user.mfa.factor.activate'];
    const body = eventHook(`${scene.url}/events`, HOOK_SECRET, items);
    const filter = { type: 'EXPRESSION_LANGUAGE', eventFilterMap: [] };
    await create({ ...body, description: 'Ours', events: { type: 'EVENT_TYPE', items, filter } });
    const made = await setUp();
    expect(made.code, made.stderr).to.equal(0);
    expect(ours()?.events).to.deep.equal([
      ...items,
      'user.authentication.auth_via_mfa',
      'inline_hook.executed',
    ]);
    const { list } = await callApi(okta, 'GET', HOOKS);
    expect(list[0]).to.deep.nested.include({
      name: 'Outcomes',
      description: 'Ours',
      'events.filter': filter,
    });
    expect(await getsSignIns()).to.equal(true);
    await expectNoChange();
  });

  it('activates a deactivated event hook', async () => {
    await setUp();
    await callApi(okta, 'POST', `${HOOKS}/${ours()?.id ?? ''}/lifecycle/deactivate`);
    const made = await setUp();
    expect(doneBy(made)).to.have.length(1);
    expect(await getsSignIns()).to.equal(true);
  });

  it('gives Okta the new secret with --rotate, and the event hook still delivers sign-ins', async () => {
    await setUp();
    const made = await setUp('--yes --json --rotate', { env: { HOOK_SECRET: NEW_SECRET } });
    expect(made.code, made.stderr).to.equal(0);
    expect(ours()?.channel.authScheme?.value).to.equal(NEW_SECRET);
    expect(await getsSignIns()).to.equal(true);
    await expectNoChange();
  });

  it('warns of a second event hook with the same URL', async () => {
    await create(eventHook(`${scene.url}/events`, HOOK_SECRET));
    await create(eventHook(`${scene.url}/events`, HOOK_SECRET));
    expect((await setUp()).stderr).to.include('A second event hook');
  });
});
