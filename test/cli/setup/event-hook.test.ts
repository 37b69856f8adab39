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
  const isTold = async (): Promise<boolean> => {
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

  it('creates it and has it verified, so that Okta tells of sign-ins', async () => {
    const made = await setUp();
    expect(made.code, made.stderr).to.equal(0);
    expect(doneBy(made)).to.deep.equal(['Create the event hook', 'Have Okta verify the event hook']);
    expect(await isTold()).to.equal(true);
    await expectNoChange();
  });

  it("leaves another's alone", async () => {
    const before = await create(eventHook('https://siem.example/events'));
    expect((await setUp()).code).to.equal(0);
    expect(okta.eventHooks.map(({ id }) => id === before)).to.deep.equal([true, false]);
    expect(okta.eventHooks[0]?.channel.uri).to.equal('https://siem.example/events');
  });

  it('goes on with the verification when the gateway runs', async () => {
    // The gateway is told by its own URL, where nobody listens yet.
    const env = { PUBLIC_URL: 'http://127.0.0.1:9/okta/telephony' };
    const made = await setUp('--yes --json', { env });
    expect(made.code).to.equal(1);
    expect(made.stderr).to.include('could not verify').and.include('PUBLIC_URL + /events');
    expect(doneBy(made)).to.deep.equal(['Create the event hook']);
    await create(eventHook(`${scene.url}/events`, HOOK_SECRET));
    const again = await setUp();
    expect(doneBy(again)).to.deep.equal(['Have Okta verify the event hook']);
    expect(await isTold()).to.equal(true);
  });

  it('asks for the events that are missing, and keeps those of others with filter and description', async () => {
    const items = ['user.account.lock', 'user.mfa.factor.activate'];
    const body = eventHook(`${scene.url}/events`, HOOK_SECRET, items);
    const filter = { type: 'EXPRESSION_LANGUAGE', eventFilterMap: [] };
    await create({ ...body, description: 'Ours', events: { type: 'EVENT_TYPE', items, filter } });
    const made = await setUp();
    expect(made.code, made.stderr).to.equal(0);
    expect(ours()?.events).to.deep.equal([...items, 'user.authentication.auth_via_mfa']);
    const { list } = await callApi(okta, 'GET', HOOKS);
    expect(list[0]).to.deep.nested.include({
      name: 'Outcomes',
      description: 'Ours',
      'events.filter': filter,
    });
    expect(await isTold()).to.equal(true);
    await expectNoChange();
  });

  it('activates one that was turned off', async () => {
    await setUp();
    await callApi(okta, 'POST', `${HOOKS}/${ours()?.id ?? ''}/lifecycle/deactivate`);
    const made = await setUp();
    expect(doneBy(made)).to.have.length(1);
    expect(await isTold()).to.equal(true);
  });

  it('gives Okta a new secret, and has it verified again', async () => {
    await setUp();
    const made = await setUp('--yes --json --rotate', { env: { HOOK_SECRET: NEW_SECRET } });
    expect(made.code, made.stderr).to.equal(0);
    expect(ours()?.channel.authScheme?.value).to.equal(NEW_SECRET);
    expect(await isTold()).to.equal(true);
    await expectNoChange();
  });

  it('warns of a second one of the same URL', async () => {
    await create(eventHook(`${scene.url}/events`, HOOK_SECRET));
    await create(eventHook(`${scene.url}/events`, HOOK_SECRET));
    expect((await setUp()).stderr).to.include('A second event hook');
  });
});
