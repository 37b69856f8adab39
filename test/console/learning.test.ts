import { expect } from 'chai';
import type { LearnOverview } from '#lib/guard/learning-guard.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { HOUR_MS } from '#harness/learned.js';
import { BOB, SENDS_MANY, type HookOptions } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';
import { serveConsole, type ServedConsole } from './served-console.js';

describe("the console's part of guard.learn", () => {
  let served: ServedConsole;
  let now: number;
  let users = 0;
  beforeEach(() => {
    now = Date.now();
  });
  afterEach(() => served.close());

  const start = async (
    learn: object | undefined,
    authorize = (): boolean | { administrator: string } => ({ administrator: 'Grace Hopper' }),
    hook: HookOptions = {},
  ): Promise<void> => {
    served = await serveConsole({
      console: { authorize },
      hook: { clock: () => now, guard: learn === undefined ? SENDS_MANY : { ...SENDS_MANY, learn }, ...hook },
    });
  };
  /** A code to another number of one prefix; says whether it was blocked. */
  const send = async (): Promise<boolean> => {
    const phoneNumber = `+1202555${String((users += 1)).padStart(4, '0')}`;
    mustNotShow(phoneNumber.slice(1));
    await served.scene.call({ userId: `00ulearned${users}`, login: BOB.login, phoneNumber });
    return served.scene.of('request.answered').at(-1)?.outcome === 'blocked';
  };
  const attack = async (): Promise<void> => {
    for (let code = 0; code < 6; code += 1) await send();
  };
  const read = async (): Promise<LearnOverview> => (await served.ask('/api/learning')).json as LearnOverview;

  it('shows what a country sent and used, and until when a prefix in it is blocked, without the prefix', async () => {
    await start({ mode: 'enforce', warmUpDays: 0 });
    await attack();
    const { text } = await served.ask('/api/learning');
    expect(text).to.not.include('202555');
    const { countries, ...overview } = await read();
    expect(overview).to.deep.equal({ mode: 'enforce', isBlind: false });
    expect(countries).to.have.length(1);
    expect(countries[0]).to.deep.include({
      country: 'US',
      sent: 5,
      used: 0,
      hourLimit: 20,
      dayLimit: 50,
      partBlockedUntilMs: now + HOUR_MS / 2,
    });
  });

  it('says until when enforce blocks nothing, and that record only records', async () => {
    await start({ mode: 'enforce', warmUpDays: 2 });
    await attack();
    expect((await read()).warmUpUntilMs).to.equal(now + 48 * HOUR_MS);
    await served.close();
    await start({});
    await attack();
    const { mode, warmUpUntilMs, countries } = await read();
    expect({ mode, warmUpUntilMs }).to.deep.equal({ mode: 'record', warmUpUntilMs: undefined });
    // It would be blocked.
    expect(countries[0]?.partBlockedUntilMs).to.equal(now + HOUR_MS / 2);
  });

  it('lifts the blocks of a country for an hour, and says who did it in an event and the log', async () => {
    await start({ mode: 'enforce', warmUpDays: 0 });
    await attack();
    expect(await send()).to.equal(true);
    const answer = await served.post('/api/learning/lift', { country: 'US' });
    const untilMs = now + HOUR_MS;
    expect((answer.json as LearnOverview).countries[0]).to.deep.include({ liftedUntilMs: untilMs });
    expect(await send()).to.equal(false);
    const [event, ...others] = served.scene.of('guard.lifted');
    expect(others).to.deep.equal([]);
    expect(event).to.deep.include({ country: 'US', liftedBy: 'Grace Hopper' });
    const line = served.scene.log.find(({ fields }) => fields['event'] === 'guard.lifted');
    expect(line?.level).to.equal('info');
    expect(line?.message).to.equal(
      'okta-telephony-hook: Grace Hopper lifted the blocks of guard.learn for an hour, for US.',
    );
  });

  it('names nobody if authorize gives no name', async () => {
    await start({ mode: 'enforce' }, () => true);
    expect((await served.post('/api/learning/lift', { country: 'none' })).status).to.equal(200);
    expect(served.scene.of('guard.lifted')[0]).to.not.have.property('liftedBy', 'Grace Hopper');
    expect(served.scene.log.at(-1)?.message).to.include(
      'An administrator lifted the blocks of guard.learn for an hour, for numbers without a country.',
    );
  });

  it('lifts nothing for another site, for a caller who is no administrator, and for no country', async () => {
    let isAdministrator = true;
    await start({ mode: 'enforce' }, () => isAdministrator);
    const headers = { 'sec-fetch-site': 'cross-site' };
    const ofOther = await served.post('/api/learning/lift', { country: 'US' }, { headers });
    expect(ofOther.failure?.code).to.equal('CROSS_SITE');
    for (const body of [{}, { country: 'us' }, { country: 'XQ' }, { country: 'US', forMs: 1e9 }]) {
      const { status, failure } = await served.post('/api/learning/lift', body);
      expect({ status, code: failure?.code }).to.deep.equal({ status: 400, code: 'INVALID_REQUEST' });
    }
    isAdministrator = false;
    expect((await served.post('/api/learning/lift', { country: 'US' })).status).to.equal(403);
    expect(served.scene.of('guard.lifted')).to.deep.equal([]);
  });

  it('says that the state does not answer, and reports nothing as lifted, if that is so', async () => {
    const state = openMemoryState();
    Object.assign(state.learning, { lift: () => Promise.resolve(false) });
    await start({ mode: 'enforce' }, undefined, { state });
    const { failure } = await served.post('/api/learning/lift', { country: 'US' });
    expect(failure?.code).to.equal('STATE_UNREACHABLE');
    expect(served.scene.of('guard.lifted')).to.deep.equal([]);
  });

  it('answers 404 without guard.learn', async () => {
    await start(undefined);
    for (const { status, failure } of [
      await served.ask('/api/learning'),
      await served.post('/api/learning/lift', { country: 'US' }),
    ])
      expect({ status, remedy: failure?.remedy }).to.deep.equal({ status: 404, remedy: 'Set guard.learn.' });
  });
});
