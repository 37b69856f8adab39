import { expect } from 'chai';
import type { Page } from 'playwright-core';
import type { TestResult } from '#lib/console/api.js';
import type { Execution } from '#lib/console/history/answers.js';
import { isNightly } from '#harness/thoroughness.js';
import { until } from '#harness/until.js';
import {
  expectAccessible,
  expectNoSidewaysScroll,
  needBrowser,
  screenshot,
  startBrowser,
  type TestBrowser,
} from './browser.js';
import { hostileStandIn } from './hostile-texts.js';
import { ABOUT, plantExecution, plantExecutions, plantHealth, plantLearning } from './planted.js';
import { startStandIn, type StandIn } from './stand-in.js';

/** The page without a gateway, in states that a gateway would take long to reach. */
describe("the console's page", function () {
  let browser: TestBrowser;
  let standIn: StandIn | undefined;

  before(async function () {
    needBrowser(this);
    browser = await startBrowser();
  });
  after(async () => {
    // A skipped suite has no browser.
    await (browser as TestBrowser | undefined)?.close();
  });
  afterEach(async () => {
    try {
      await browser.closePages();
    } finally {
      await standIn?.close();
      standIn = undefined;
    }
  });

  const rows = (page: Page) => page.locator('.rows .row');
  /** Opens a view of a console that the test sets, and waits until its stream is open. */
  const show = async (hash: string, given?: Parameters<typeof startStandIn>[0]) => {
    const stood = (standIn = await startStandIn(given));
    const { page, tolerate } = await browser.open(stood.url + hash);
    await until(() => stood.listeners() === 1);
    return { page, stood, tolerate };
  };
  const showHistory = async (executions: readonly Execution[]) => {
    const shown = await show('#/history', { executions });
    await shown.page.getByText(/of .* executions/).waitFor();
    return shown;
  };
  const showExecution = (execution: Execution) =>
    show(`#/history/${execution.id}`, { executions: [execution] });
  /** Lets the tester generate a request for anybody, and send it. */
  const send = async (page: Page): Promise<void> => {
    await page.getByLabel('User').fill('x');
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.getByRole('button', { name: 'Send' }).click();
  };

  describe('with 1,200 executions', () => {
    const executions = plantExecutions(1200, Date.now());

    it('loads older ones page by page, keeps at most 300 in place, and goes back to the newest', async () => {
      const { page, stood } = await showHistory(executions);
      await page.getByText('50 of 1,200 executions').waitFor();
      const older = page.getByRole('button', { name: 'Load older' });
      for (let index = 1; index <= 7; index += 1) {
        await older.scrollIntoViewIfNeeded();
        const oldest = rows(page).and(
          page.locator(`[data-id="${stood.executions[50 * index - 1]?.id ?? ''}"]`),
        );
        const before = await oldest.boundingBox();
        await older.click();
        await page.locator(`[data-id="${stood.executions[50 * index]?.id ?? ''}"] a:focus`).waitFor();
        // The last row of before keeps its place above the new rows, even when rows above it go.
        const after = await oldest.boundingBox();
        expect(Math.round(after?.y ?? 0)).to.equal(Math.round(before?.y ?? -1));
      }
      expect(await rows(page).count()).to.equal(300);
      expect(await page.locator('*').count()).to.be.lessThan(10_000);
      expect(await rows(page).last().getAttribute('data-id')).to.equal(stood.executions[399]?.id);

      await page.getByRole('button', { name: 'Back to the newest' }).click();
      await page.locator(`[data-id="${stood.executions[0]?.id ?? ''}"] a:focus`).waitFor();
      expect(await rows(page).count()).to.equal(50);
    });

    it("finds one by Okta's request id, filters by channel and outcome, and keeps both in the address", async () => {
      const { page, stood } = await showHistory(executions);
      const wanted = stood.executions[1100];
      await page.getByLabel('Search').fill(wanted?.oktaRequestId ?? '');
      await page.getByText('1 of 1 that fit').waitFor();
      expect(await rows(page).getAttribute('data-id')).to.equal(wanted?.id);

      await page.getByLabel('Search').fill('');
      await page.getByLabel('Channel').selectOption('voice');
      await page.getByLabel('Outcome').selectOption('undelivered');
      const fitting = stood.executions.filter(
        ({ channel, outcome }) => channel === 'voice' && outcome === 'undelivered',
      );
      const count = `${fitting.length} of ${fitting.length} that fit`;
      await page.getByText(count).waitFor();
      expect(new URL(page.url()).hash).to.equal('#/history?channel=voice&outcome=undelivered');
      await page.reload();
      await page.getByText(count).waitFor();
      expect(await page.getByLabel('Channel').inputValue()).to.equal('voice');

      await page.getByLabel('Search').fill('no such thing');
      await page.getByText('Nothing fits that search.').waitFor();
      await page.getByRole('button', { name: 'Show all' }).click();
      await page.getByText('50 of 1,200 executions').waitFor();
    });

    it('finds executions by login, by the end of the number and by time in the time zone that it names', async () => {
      // The browser is in London, in winter: its time is UTC.
      const now = Date.parse('2026-11-27T12:00:30Z');
      const { page, stood, tolerate } = await showHistory(plantExecutions(1200, now));
      tolerate(/status of 404/);
      await page.getByText('Times are in Europe/London (GMT).').waitFor();
      expect(await rows(page).last().locator('time').innerText()).to.match(/27 Nov/);
      const wanted = stood.executions[1100];
      stood.users['ana@example.com'] = wanted?.userId ?? '';
      await page.getByLabel('Search').fill('ana@example.com');
      await page.getByText('1 of 1 that fit').waitFor();
      expect(await rows(page).getAttribute('data-id')).to.equal(wanted?.id);
      await page.getByText(`ana@example.com is the user ${wanted?.userId ?? ''}.`).waitFor();
      // Neither the address nor the URL of a request contains the login.
      expect([page.url(), ...stood.requests].join(' ')).to.not.match(/ana(@|%40)/);

      await page.getByLabel('Search').fill('+44 7700 900123');
      const ending = stood.executions.filter(({ toEnding }) => toEnding === '23');
      await page.getByText(`${ending.length} of ${ending.length} that fit`).waitFor();
      expect(new URL(page.url()).hash).to.equal('#/history?search=23');
      expect(stood.requests.join(' ')).to.not.include('900123');

      await page.getByLabel('From').fill('2026-11-27T08:10');
      await page.getByLabel('To', { exact: true }).fill('2026-11-27T08:15');
      await page.getByLabel('Search').fill('');
      // Six minutes: the range includes the last minute.
      await page.getByText('12 of 12 that fit').waitFor();
      expect(new URL(page.url()).hash).to.equal(
        '#/history?from=2026-11-27T08%3A10%3A00.000Z&to=2026-11-27T08%3A15%3A59.999Z',
      );
      await page.reload();
      await page.getByText('12 of 12 that fit').waitFor();
      expect(await page.getByLabel('To', { exact: true }).inputValue()).to.equal('2026-11-27T08:15');
      await page.getByLabel('Jump to time').fill('08:13');
      await until(async () => (await page.getByLabel('From').inputValue()).endsWith('T08:08'));
      expect(await page.getByLabel('To', { exact: true }).inputValue()).to.match(/T08:18$/);

      await page.getByLabel('Search').fill('nobody@example.com');
      await page.getByRole('alert').getByText('OKTA_NOT_FOUND').waitFor();
      expect(await rows(page).count()).to.equal(0);
    });

    it('keeps what the user types while Okta looks up an earlier login', async () => {
      const { page, stood } = await showHistory(executions);
      stood.users['ana@example.co'] = stood.executions[1100]?.userId ?? '';
      stood.users['ana@example.com'] = stood.executions[99]?.userId ?? '';
      const search = page.getByLabel('Search');
      await page.route(
        '**/api/user',
        async (route) => {
          await search.press('m');
          await route.continue();
        },
        { times: 1 },
      );
      await search.fill('ana@example.co');
      await page.getByText(`ana@example.com is the user ${stood.executions[99]?.userId ?? ''}.`).waitFor();
      // The answer about the earlier login starts no search.
      expect(stood.requests.join(' ')).to.not.include(stood.executions[1100]?.userId);
    });

    it('restores the list, its scroll position and the focus after going back from an execution', async () => {
      const { page, stood } = await showHistory(executions);
      await page.getByRole('button', { name: 'Load older' }).click();
      await page.getByText('100 of 1,200 executions').waitFor();
      const opened = stood.executions[77];
      await page.locator(`[data-id="${opened?.id ?? ''}"] a`).click();
      await page.getByRole('heading', { name: 'Execution' }).waitFor();
      await page.goBack();
      await page.locator(`[data-id="${opened?.id ?? ''}"] a:focus`).waitFor();
      expect(await rows(page).count()).to.equal(100);
      expect(await page.evaluate('scrollY')).to.be.greaterThan(0);

      await page.getByLabel('Outcome').selectOption('failed');
      await page.getByText(/^50 of \d+ that fit/).waitFor();
      const fitting = rows(page).nth(7).locator('a');
      const id = (await rows(page).nth(7).getAttribute('data-id')) ?? '';
      await fitting.click();
      await page.getByText(id).waitFor();
      expect(await page.title()).to.equal(`Execution ${id} – Telephony hook console`);
      await page.getByRole('link', { name: 'All executions' }).click();
      await page.locator(`[data-id="${id}"] a:focus`).waitFor();
      expect(new URL(page.url()).hash).to.equal('#/history?outcome=failed');
      expect(await page.getByLabel('Outcome').inputValue()).to.equal('failed');
    });
  });

  it('sets From and To by a histogram, with the mouse and with the keyboard, and finds codes that failed over', async () => {
    const { page } = await showHistory(plantExecutions(900, Date.now()));
    await page.getByText('900 codes by quarters of an hour.').waitFor();
    const times = async (): Promise<readonly string[]> => [
      await page.getByLabel('From').inputValue(),
      await page.getByLabel('To', { exact: true }).inputValue(),
    ];
    const box = await page.locator('.chosen svg').boundingBox();
    if (box === null) return expect.fail('it is drawn');
    // Bars 80 to 83 of 96: an hour.
    const xOf = (bar: number): number => box.x + ((bar + 0.5) * box.width) / 96;
    await page.mouse.move(xOf(83), box.y + 20);
    await page.mouse.down();
    await page.mouse.move(xOf(82), box.y + 20);
    await page.mouse.move(xOf(80), box.y + 20);
    await page.mouse.up();
    await page.getByText('50 of 120 that fit').waitFor();
    // With the day, if it is another one than today.
    await page.getByText(/^120 codes from .*\d\d:\d\d to .*\d\d:\d\d$/).waitFor();
    const [from = '', to = ''] = await times();
    expect(Date.parse(to) - Date.parse(from)).to.equal(59 * 60_000);
    expect(Date.parse(from) % 900_000).to.equal(0);
    // A finger that moves up or down scrolls the page.
    const touch = "getComputedStyle(document.querySelector('.chosen svg')).touchAction";
    expect(await page.evaluate(touch)).to.equal('pan-y');

    const begin = page.getByRole('slider', { name: 'Begin of the shown time' });
    await begin.focus();
    await page.keyboard.press('ArrowRight');
    await page.getByText('50 of 90 that fit').waitFor();
    expect((Date.parse((await times())[0] ?? '') - Date.parse(from)) / 60_000).to.equal(15);
    expect(await begin.getAttribute('aria-valuetext')).to.match(/\d\d:\d\d$/);
    // The begin stays before the end.
    await page.keyboard.press('End');
    await page.getByText('30 of 30 that fit').waitFor();
    await page.getByLabel('Failover').selectOption('early');
    await page.getByText(/^[78] of [78] that fit/).waitFor();
    expect(new URL(page.url()).hash).to.match(/failover=early&from=.*&to=/);
    await page.getByRole('button', { name: 'Whole day' }).click();
    await page.getByText('50 of 231 that fit').waitFor();
    await page.getByText('231 codes by quarters of an hour.').waitFor();
    expect(await times()).to.deep.equal(['', '']);
    await page.getByLabel('Failover').selectOption('late');
    await page.getByText('Nothing fits that search.').waitFor();
    expect(await page.locator('.histogram').count()).to.equal(0);
  });

  it('says where the history begins, below the last row and if nothing fits', async () => {
    const now = Date.parse('2026-11-27T12:00:30Z');
    const { page, stood } = await showHistory(plantExecutions(60, now));
    stood.historyBeganAt = Date.parse('2026-11-27T08:00:00Z');
    const began = page.locator('.bar-below').getByText('The history begins at 27 Nov 2026, 08:00:00.');
    expect(await began.count()).to.equal(0);
    await page.getByRole('button', { name: 'Load older' }).click();
    await began.waitFor();
    await page.getByLabel('To', { exact: true }).fill('2026-11-26T08:01');
    await page.locator('.empty').getByText('The history begins at 27 Nov 2026, 08:00:00.').waitFor();
    await page.getByText('look in the log or in Okta’s System Log').waitFor();
    await page.getByLabel('To', { exact: true }).fill('2026-11-27T23:59');
    await page.getByText('50 of 60 that fit').waitFor();
    stood.executions = [];
    await page.goto(`${stood.url}?again#/history`);
    await page.getByText('Okta has not requested a code yet. The history begins at').waitFor();
  });

  it('says Loading while a search is on its way, and shows no rows of another search if it fails', async () => {
    const { page, stood, tolerate } = await show('', { executions: plantExecutions(30, Date.now()) });
    tolerate(/status of (404|500)/);
    let answer: () => void = () => undefined;
    const hold = (): void => {
      stood.answerLists = new Promise((resolve) => {
        answer = resolve;
      });
    };
    hold();
    await page.evaluate("location.hash = '#/history'");
    await page.getByText('Loading …').waitFor();
    answer();
    await page.getByText('30 of 30 executions').waitFor();
    hold();
    await page.getByLabel('Outcome').selectOption('failed');
    await page.getByText('Loading …').waitFor();
    stood.isListBroken = true;
    answer();
    await page.getByRole('alert').getByText('INTERNAL_ERROR').waitFor();
    expect(await rows(page).count()).to.equal(0);
    expect(await page.getByText('Loading …').count()).to.equal(0);
    // A new execution does not come into the place of an answer.
    stood.pushExecutions(plantExecution(6, Date.now() + 60_000, { id: 'fresh' }));
    stood.isListBroken = false;
    await page.getByLabel('Outcome').selectOption('');
    await page.getByText('31 of 31 executions').waitFor();

    // The list of the search before does not come back with the next stream.
    await page.getByLabel('Search').fill('nobody@example.com');
    await page.getByRole('alert').getByText('OKTA_NOT_FOUND').waitFor();
    const lists = (): number => stood.requests.filter((path) => path.includes('executions')).length;
    const before = lists();
    stood.endStreams();
    await until(() => stood.listeners() === 0);
    await until(() => stood.listeners() === 1);
    await page.evaluate("fetch('api/about').then((response) => response.text())");
    expect(await rows(page).count()).to.equal(0);
    expect(lists()).to.equal(before);
  });

  describe('live', () => {
    it('puts a new execution first, and updates its outcome in the same row', async () => {
      const { page, stood } = await showHistory(plantExecutions(3, Date.now()));
      const fresh = plantExecution(0, Date.now() + 60_000, { id: 'fresh', outcome: 'running' });
      stood.pushExecutions(fresh);
      await page.getByText('4 of 4 executions').waitFor();
      expect(await rows(page).first().getAttribute('data-id')).to.equal('fresh');
      stood.pushExecutions({ ...fresh, outcome: 'undelivered', code: '63024' });
      await rows(page).first().getByText('Not delivered').waitFor();
      expect(await rows(page).count()).to.equal(4);
    });

    it('keeps an execution from the stream if an older list arrives after it', async () => {
      const stood = (standIn = await startStandIn({ executions: plantExecutions(3, Date.now()) }));
      let answer: () => void = () => undefined;
      stood.answerLists = new Promise((resolve) => {
        answer = resolve;
      });
      const { page } = await browser.open(`${stood.url}#/history`);
      // The page requests the list when it opens, and again when its stream is open.
      await until(() => stood.requests.filter((path) => path.includes('executions')).length === 2);
      // The page handles an event of its stream as soon as it has parsed it.
      await page.evaluate(`window.parsed = 0;
        const { parse } = JSON;
        JSON.parse = (text) => { window.parsed += text.includes('"fresh"') ? 1 : 0; return parse(text); };`);
      const fresh = plantExecution(0, Date.now() + 60_000, { id: 'fresh', outcome: 'running' });
      stood.pushExecutions(fresh);
      stood.pushExecutions({ ...fresh, outcome: 'delivered' });
      await until(async () => (await page.evaluate('window.parsed')) === 2);
      answer();
      await page.getByText('4 of 4 executions').waitFor();
      expect(await rows(page).first().getAttribute('data-id')).to.equal('fresh');
      await rows(page).first().getByText('Delivered').waitFor();
      expect(await rows(page).count()).to.equal(4);
    });

    it('does not move rows while one has the focus: new executions wait behind a button', async () => {
      const now = Date.now();
      const { page, stood } = await showHistory(plantExecutions(50, now));
      await rows(page).nth(30).locator('a').focus();
      const before = await rows(page).nth(30).boundingBox();
      stood.pushExecutions(plantExecution(0, now + 60_000, { id: 'fresh-1' }));
      stood.pushExecutions(plantExecution(0, now + 70_000, { id: 'fresh-2' }));
      const button = page.getByRole('button', { name: '2 new: show' });
      await button.waitFor();
      expect(await rows(page).nth(30).boundingBox()).to.deep.equal(before);
      await button.click();
      await page.locator('[data-id="fresh-2"] a:focus').waitFor();
      await page.getByText('50 of 52 executions').waitFor();
      await button.waitFor({ state: 'hidden' });
    });

    it('counts a new execution that fits the search, but no other one, and no old one that changes', async () => {
      const now = Date.now();
      const { page, stood } = await showHistory(plantExecutions(30, now));
      await page.getByLabel('Outcome').selectOption('failed');
      await page.getByText('3 of 3 that fit').waitFor();
      const [newest] = stood.executions;
      if (newest === undefined) return expect.fail('there are 30');
      stood.pushExecutions({ ...newest, outcome: 'used' });
      stood.pushExecutions(plantExecution(0, now + 240_000, { id: 'does not fit' }));
      stood.pushExecutions(plantExecution(6, now + 240_000, { id: 'fresh' }));
      await page.getByRole('button', { name: '1 new: show' }).click();
      await page.getByText('4 of 4 that fit').waitFor();
      expect(await rows(page).count()).to.equal(4);
      expect(await rows(page).first().getAttribute('data-id')).to.equal('fresh');
    });

    it('counts a new execution once its outcome changes to fit the search', async () => {
      const now = Date.now();
      const { page, stood } = await showHistory(plantExecutions(30, now));
      await page.getByLabel('Outcome').selectOption('failed');
      await page.getByText('3 of 3 that fit').waitFor();
      const countRequests = (): number =>
        stood.requests.filter((url) => url.includes('outcome=failed')).length;
      const news = page.getByRole('button', { name: /new: show/ });
      const before = countRequests();
      const running = plantExecution(0, now + 240_000, { id: 'fresh', outcome: 'running' });
      stood.pushExecutions(running, plantExecution(1, now + 240_000, { id: 'other' }));
      await until(() => countRequests() > before);
      // The page shows the answers in order: it has the first count by now.
      stood.pushExecutions({ ...running, outcome: 'failed' });
      await page.getByRole('button', { name: '1 new: show' }).waitFor();
      await news.click();
      await page.getByText('4 of 4 that fit').waitFor();
      await news.waitFor({ state: 'hidden' });
      expect(await rows(page).first().getAttribute('data-id')).to.equal('fresh');
      expect(await page.locator('[data-id="other"]').count()).to.equal(0);
    });

    it('copies the id of a message, and keeps the focus there when a later step arrives', async () => {
      const sent = plantExecution(2, Date.now());
      const { page, stood } = await showExecution(sent);
      const copy = page.getByRole('button', { name: 'Copy the message id' });
      await copy.click();
      await copy.getByText('Copied').waitFor();
      expect(await page.evaluate('navigator.clipboard.readText()')).to.match(/^SM\w+$/);
      const [first] = sent.steps;
      if (first === undefined) return expect.fail('it has steps');
      stood.pushExecutions({
        ...sent,
        repeats: 41,
        steps: [...sent.steps, { ...first, at: sent.startedAt + 9_000 }],
      });
      await page.getByText('41', { exact: true }).waitFor();
      await copy.and(page.locator(':focus')).waitFor();
    });

    it('adds a delivery report to an open execution', async () => {
      const now = Date.now();
      const sent = plantExecution(2, now);
      const { page, stood } = await showExecution(sent);
      await page.getByText('Nothing yet. Delivery reports').waitFor();
      const status = {
        type: 'message.reported',
        channel: 'whatsapp',
        transactionId: 'SM1',
        report: 'delivered',
      } as const;
      const later = { at: sent.startedAt + 2_000, status: 'delivered', code: undefined, reason: undefined };
      stood.pushExecutions({
        ...sent,
        outcome: 'delivered',
        steps: [...sent.steps, { ...status, ...later }],
      });
      await page.getByText('The message by WhatsApp was delivered.').waitFor();
      await page.getByText('The message reached the phone.').waitFor();
      expect(await page.getByText('Nothing yet. Delivery reports').count()).to.equal(0);
    });

    it('updates the health from the stream, and ignores the answer to an older health request after it', async () => {
      const stood = (standIn = await startStandIn());
      let answer = (): void => undefined;
      stood.answerHealth = new Promise((resolve) => (answer = resolve));
      const { page } = await browser.open(`${stood.url}#/health`);
      await until(() => stood.listeners() === 1);
      // The page requests the health when it opens, and again when the stream is open.
      const countRequests = (): number => stood.requests.filter((path) => path === '/api/health').length;
      await until(() => countRequests() === 2);
      stood.pushHealth(plantHealth(Date.now(), { state: 'lost', breakers: [] }));
      await page.getByText('The shared state store cannot be reached').waitFor();
      await page.getByText('Vendors: none has been called yet.').waitFor();
      let answered = 0;
      page.on('requestfinished', (request) => {
        if (request.url().endsWith('/api/health')) answered += 1;
      });
      answer();
      await until(() => answered === countRequests());
      // The page has read the last answer when its next request is answered.
      await page.evaluate("fetch('api/about').then((response) => response.text())");
      expect(await page.getByText('The shared state store cannot be reached').count()).to.equal(1);
      expect(await page.getByText('api.line.me (LINE) does not answer').count()).to.equal(0);
    });

    it('reconnects without a notice when the stream ends, as it does each minute', async () => {
      const { page, stood } = await showHistory(plantExecutions(3, Date.now()));
      stood.endStreams();
      await until(() => stood.listeners() === 0);
      await until(() => stood.listeners() === 1);
      stood.pushExecutions(plantExecution(0, Date.now() + 60_000, { id: 'fresh' }));
      await page.locator('[data-id="fresh"]').waitFor();
      expect(await page.locator('#connection').innerText()).to.equal('');
    });

    it('says that the connection is lost, and loads missed executions once the server is back', async () => {
      const { page, stood, tolerate } = await showHistory(plantExecutions(3, Date.now()));
      tolerate(/Failed to load resource/);
      await stood.stop();
      await page.getByText('The connection is lost').waitFor();
      stood.executions = [plantExecution(0, Date.now() + 60_000, { id: 'missed' }), ...stood.executions];
      await stood.restart();
      await page.locator('[data-id="missed"]').waitFor();
      await page.getByText('The connection is lost').waitFor({ state: 'hidden' });
      expect(await rows(page).count()).to.equal(4);
      expect(await rows(page).first().getAttribute('data-id')).to.equal('missed');
    });
  });

  // The page learns of the logout from its stream, from a refused stream or from a refused request of another view.
  for (const [how, learn] of [
    [
      'its stream says so',
      (stood: StandIn) => {
        stood.endLoggedOut();
      },
    ],
    [
      'its stream is refused',
      (stood: StandIn) => {
        stood.endStreams();
      },
    ],
    ['a request is refused', (_: StandIn, page: Page) => page.evaluate("location.hash = '#/health'")],
  ] as const) {
    it(`clears itself, ends its stream and offers the login after a logout elsewhere, once ${how}`, async () => {
      const executions = plantExecutions(3, Date.now());
      const { page, stood, tolerate } = await show('#/history?channel=sms', { executions });
      await page.getByText('1 of 1 that fit').waitFor();
      tolerate(/status of 403/);
      stood.isLoggedIn = false;
      await learn(stood, page);
      await page.locator('h1:text-is("Logged out"):focus').waitFor();
      await until(() => stood.listeners() === 0);
      expect(await page.title()).to.equal('Logged out – Telephony hook console');
      const left = await page.locator('body').innerText();
      for (const { userId, id } of stood.executions) {
        expect(left).to.not.include(userId);
        expect(left).to.not.include(id);
      }
      expect(left).to.not.include('acme.okta.com');
      expect(await page.locator('.row, nav a, datalist option').count()).to.equal(0);
      if (how !== 'a request is refused') return;
      await screenshot(page, 'console-logged-out');
      await expectAccessible(page);
      await page.evaluate("location.hash = '#/history?channel=sms'");
      stood.isLoggedIn = true;
      await page.getByRole('button', { name: 'Log in again' }).click();
      await page.getByText('1 of 1 that fit').waitFor();
    });
  }

  it('says that the user is logged out if a request is redirected to a login', async () => {
    const { page } = await show('');
    await page.route('**/api/**', (route) =>
      route.fulfill({ status: 302, headers: { Location: '/login' }, body: '' }),
    );
    await page.evaluate("location.hash = '#/health'");
    await page.getByText('You are no longer logged in as an administrator.').waitFor();
    expect(await page.locator('.deliveries').count()).to.equal(0);
  });

  it('closes its stream while it is hidden, and loads missed executions when it is visible again', async () => {
    const { page, stood } = await showHistory(plantExecutions(3, Date.now()));
    const hide = (isHidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { configurable: true, value: ${isHidden} });
        document.dispatchEvent(new Event('visibilitychange'));`,
      );
    await hide(true);
    await until(() => stood.listeners() === 0);
    stood.pushExecutions(plantExecution(0, Date.now() + 60_000, { id: 'missed' }));
    await hide(false);
    await page.locator('[data-id="missed"]').waitFor();
    await until(() => stood.listeners() === 1);
    expect(await page.getByText('The connection is lost').count()).to.equal(0);
  });

  const TESTED: TestResult = {
    httpStatus: 200,
    body: { commands: [] },
    durationMs: 312,
    deadlineMs: 2500,
    reaction: { action: 'sent', text: 'Okta takes the code as sent.' },
  };

  describe('the tester', () => {
    const countOf = (stood: StandIn, path: string): number =>
      stood.requests.filter((url) => url.endsWith(path)).length;

    it('sends once while Enter is held down, and again on the next press', async () => {
      const { page, stood } = await show('');
      stood.made = { payload: { data: {} }, notes: ['It is made up.'] };
      stood.tested = TESTED;
      await page.getByLabel('User').fill('x');
      for (let index = 0; index < 5; index += 1) {
        await page.keyboard.down('Enter');
        await page.getByText('It is made up.').waitFor();
        await page.locator('button:text-is("Generate"):not([disabled])').waitFor();
      }
      await page.keyboard.up('Enter');
      expect(countOf(stood, '/api/tester/payload')).to.equal(1);

      const send = page.locator('button:text-is("Send")');
      await send.focus();
      for (let index = 0; index < 5; index += 1) {
        await page.keyboard.down('Enter');
        await page.getByText('Okta takes the code as sent.').waitFor();
        await send.and(page.locator(':focus:not([disabled])')).waitFor();
      }
      await page.keyboard.up('Enter');
      expect(countOf(stood, '/api/tester/send')).to.equal(1);
      await page.keyboard.press('Enter');
      await until(() => countOf(stood, '/api/tester/send') === 2);
    });

    it('shows the message as the phone does, with the code of the request, and the words of a call', async () => {
      const { page, stood } = await show('');
      stood.made = { payload: { data: { messageProfile: { otpCode: '042917' } } }, notes: [] };
      const message = { channel: 'sms', locale: 'de', parts: ['Ihr Code: ', '. Gültig: 5 Minuten'] };
      stood.tested = { ...TESTED, message };
      await send(page);
      const bubble = page.locator('.phone .bubble');
      await bubble.getByText('Ihr Code: 042917. Gültig: 5 Minuten').waitFor();
      expect(await bubble.getAttribute('lang')).to.equal('de');
      await page.getByText('On the phone, by SMS').waitFor();
      stood.tested = {
        ...TESTED,
        message: { channel: 'voice', locale: 'en', parts: ['Your code is: ', ''] },
      };
      await page.getByRole('button', { name: 'Send' }).click();
      await bubble.getByText('Your code is: 0, 4, 2, 9, 1, 7').waitFor();
      stood.tested = { ...TESTED, message: { channel: 'whatsapp', locale: 'fr', parts: undefined } };
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByText('The template at the provider has the other words, in fr.').waitFor();
      expect(await bubble.innerText()).to.equal('042917 …');
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
    });

    it('says beside the button what is wrong with a field of the form, and nothing of the request', async () => {
      const { page, stood, tolerate } = await show('');
      stood.made = { payload: { data: {} }, notes: [] };
      tolerate(/status of 400/);
      await page.getByLabel('User').fill('x');
      await page.getByRole('button', { name: 'Generate' }).click();
      await page.getByText('The request is ready to be sent.').waitFor({ state: 'attached' });
      const error = { code: 'INVALID_REQUEST', message: 'The language is none.', fields: ['locale'] };
      await page.route('**/api/tester/payload', (route) => route.fulfill({ status: 400, json: { error } }));
      await page.getByLabel('Language').fill('?');
      await page.getByRole('button', { name: 'Generate' }).click();
      await page.getByRole('alert').getByText('The language is none.').waitFor();
      expect(await page.getByText('locale').count()).to.equal(0);
    });

    it('drops an answer as soon as the next request is generated or sent, also if it is refused', async () => {
      const { page, stood, tolerate } = await show('');
      stood.made = { payload: { data: {} }, notes: ['It is made up.'] };
      stood.tested = TESTED;
      tolerate(/status of 403/);
      const generate = page.getByRole('button', { name: 'Generate' });
      const send = page.getByRole('button', { name: 'Send' });
      const answer = page.getByText('Okta takes the code as sent.');
      const noAnswer = page.getByText('No answer yet.');
      await page.getByLabel('User').fill('x');
      await noAnswer.waitFor();
      await generate.click();
      await send.click();
      await answer.waitFor();
      expect(await noAnswer.isVisible()).to.equal(false);

      await generate.click();
      await noAnswer.waitFor();
      expect(await answer.isVisible()).to.equal(false);
      await send.click();
      await answer.waitFor();
      await page.route('**/api/tester/send', (route) =>
        route.fulfill({ status: 403, json: { error: { code: 'CROSS_SITE', message: 'Refused.' } } }),
      );
      await send.click();
      await page.getByRole('alert').getByText('CROSS_SITE').waitFor();
      await noAnswer.waitFor();
      expect(await answer.isVisible()).to.equal(false);
    });
  });

  it('says of a call of Okta’s that Okta may have sent the code itself, and not of a test', async () => {
    const now = Date.now();
    const executions = [plantExecution(6, now, { isTest: true }), plantExecution(16, now)];
    const { page, stood } = await show(`#/history/${executions[1]?.id ?? ''}`, { executions });
    const headline = page.locator('.headline');
    await headline.getByText('No channel could send the code. Okta may have sent it itself.').waitFor();
    await page.goto(`${stood.url}#/history/${executions[0]?.id ?? ''}`);
    const ofTest = headline.filter({ hasText: /No channel could send the code\.$/ });
    await ofTest.waitFor();

    stood.made = { payload: { data: {} }, notes: [] };
    stood.tested = { ...TESTED, executionId: executions[0]?.id };
    await page.goto(`${stood.url}#/tester`);
    await send(page);
    await ofTest.waitFor();
    await page.getByText('At a sign-in: Okta takes the code as sent.').waitFor();
  });

  it('says in the headline which channel sent the code in place of another, and why, as soon as that is so', async () => {
    const planted = plantExecution(4, Date.now());
    const isSms = ({ channel }: { readonly channel: string }): boolean => channel === 'sms';
    const execution = { ...planted, isTest: true, outcome: 'sent' as const, code: undefined };
    const before = { ...execution, way: execution.way.filter((step) => !isSms(step)), steps: [] };
    const { page, stood } = await show('', { executions: [before] });
    stood.made = { payload: { data: {} }, notes: [] };
    stood.tested = { ...TESTED, executionId: planted.id };
    await send(page);
    const headline = page.locator('.headline');
    await headline.getByText('Its delivery is not known yet.').waitFor();
    const way = [
      { channel: 'whatsapp', hasFailed: true },
      { channel: 'sms', hasFailed: false },
    ];
    stood.pushExecutions({ ...execution, way });
    const why = 'Sent by SMS, because WhatsApp failed (63015: The number has not joined the sandbox).';
    await headline.getByText(why).waitFor();
    await page.getByRole('link', { name: 'Open this execution' }).click();
    await headline.getByText(why).waitFor();
  });

  it('shows what the guard that learns blocks, and lifts a block for an hour once the administrator confirms', async () => {
    const { page, stood } = await show('#/health', { about: { ...ABOUT, isLearning: true } });
    const table = page.getByRole('table', { name: 'Sent and used codes of the last 24 hours, and blocks' });
    const row = (country: string) => table.getByRole('row', { name: country });
    await row('LK').getByText('Blocked until').waitFor();
    const lift = page.getByRole('button', { name: 'Lift the block of LK for an hour' });
    const lifts = (): number => stood.requests.filter((path) => path === '/api/learning/lift').length;
    for (const leave of [
      () => page.getByRole('button', { name: 'Cancel' }).click(),
      () => page.keyboard.press('Escape'),
    ]) {
      await lift.click();
      await page.getByRole('dialog', { name: 'Lift the block of LK for an hour?' }).waitFor();
      await leave();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await lift.and(page.locator(':focus')).waitFor();
    }
    expect(lifts()).to.equal(0);
    await lift.click();
    await page.getByRole('button', { name: 'Lift', exact: true }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await row('LK').getByText('Lifted until').waitFor();
    expect(await lift.count()).to.equal(0);
    expect(lifts()).to.equal(1);
  });

  it('says what the guard that learns would block, and offers nothing to lift then', async () => {
    const stood = (standIn = await startStandIn({ about: { ...ABOUT, isLearning: true } }));
    stood.learning = plantLearning(Date.now(), { mode: 'record' });
    const { page } = await browser.open(`${stood.url}#/health`);
    await page.getByText('It only records, and shows what it would block.').waitFor();
    await page.getByText('Would be blocked until').waitFor();
    expect(await page.getByRole('button', { name: 'Lift' }).count()).to.equal(0);
  });

  it('sorts sent and used codes by a press on a column', async () => {
    const { page } = await show('#/health', { executions: plantExecutions(40, Date.now()) });
    const table = page.getByRole('table', { name: 'Sent and used codes by country, channel and provider' });
    const used = table.getByRole('columnheader', { name: 'Used', exact: true });
    await used.getByRole('button').click();
    const usedCodes = async (): Promise<readonly number[]> =>
      (await table.locator('tbody tr td:nth-child(5)').allInnerTexts()).map(Number);
    const descending = await usedCodes();
    expect(descending.length).to.be.greaterThan(2);
    expect(descending).to.deep.equal([...descending].sort((one, other) => other - one));
    expect(await used.getAttribute('aria-sort')).to.equal('descending');
    await used.getByRole('button').click();
    expect(await usedCodes()).to.deep.equal([...descending].reverse().sort((one, other) => one - other));
    expect(await used.getAttribute('aria-sort')).to.equal('ascending');
  });

  it('says where the code stopped, and shows each message to its end', async () => {
    const { page } = await showExecution(plantExecution(4, Date.now()));
    const wordsOf = (texts: readonly string[]): readonly string[] =>
      texts.map((text) => text.replace(/\s+/g, ' ').trim());
    const stops = page.getByRole('list', { name: 'How far the code came' }).getByRole('listitem');
    await stops.first().waitFor();
    expect(wordsOf(await stops.allInnerTexts())).to.deep.equal([
      'Okta requested the code',
      'Gateway sent it on',
      'Provider accepted it by SMS, after WhatsApp failed',
      'Phone did not get it',
      'User not reached',
    ]);
    const messages = page.getByRole('list', { name: 'The messages over time' }).getByRole('listitem');
    expect(wordsOf(await messages.allInnerTexts())).to.deep.equal([
      'WhatsApp refused after 151 ms (63015)',
      'SMS failed after 4,100 ms (63024)',
    ]);
  });

  it('says that a message may have gone out if the gateway ended during the call', async () => {
    const planted = plantExecution(7, Date.now(), { code: 'NOT_ANSWERED', durationMs: undefined });
    const steps = planted.steps.filter(({ type }) => type !== 'request.answered' && type !== 'attempt.ended');
    const { page } = await showExecution({ ...planted, steps });
    await page.getByText('the message may have gone out. Okta may have sent the code itself.').waitFor();
    await page.getByText('no answer is known').waitFor();
    expect(await page.getByText('no message went out').count()).to.equal(0);
    expect(await page.getByText('Okta takes the code as on its way').count()).to.equal(0);
  });

  it('shows the execution that was opened last, if the answer about another one comes after it', async () => {
    const executions = plantExecutions(2, Date.now());
    const [slow = '', last = ''] = executions.map(({ id }) => id);
    const { page } = await show('', { executions });
    let answer: () => void = () => undefined;
    const isHeld = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route(`**/api/executions/${slow}`, async (route) => {
      await isHeld;
      await route.continue();
    });
    await page.evaluate(`location.hash = '#/history/${slow}'`);
    await page.getByText('Loading …').waitFor();
    await page.evaluate(`location.hash = '#/history/${last}'`);
    await page.getByText(last).waitFor();
    const late = page.waitForResponse((response) => response.url().endsWith(slow));
    answer();
    await (await late).finished();
    // The page has read the late answer when its next request is answered.
    await page.evaluate("fetch('api/about').then((response) => response.text())");
    expect(await page.getByText(last).count()).to.equal(1);
  });

  it('says Not allowed if the browser has no clipboard, as over plain HTTP', async () => {
    const planted = plantExecution(3, Date.now());
    const { page } = await showExecution(planted);
    await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
    const copy = page.getByRole('button', { name: 'Copy the event id' });
    await copy.click();
    await copy.getByText('Not allowed').waitFor();
  });

  it('says that a replayed request has no user, and focuses the field for the user', async () => {
    const planted = { ...plantExecution(3, Date.now()), userId: undefined };
    const { page } = await show('', { executions: [planted] });
    await page.locator('#payload').fill('{}');
    await page.evaluate(`location.hash = '#/history/${planted.id}'`);
    await page.getByRole('link', { name: 'Replay in the tester' }).click();
    await page.getByText('The replayed request has no user').waitFor();
    await page.locator('#user:focus').waitFor();
    expect(await page.locator('#request-type').inputValue()).to.equal('password-reset');
    expect(await page.locator('#requested-channel').inputValue()).to.equal('voice');
    // A request from before the replay is not in its place.
    expect(await page.locator('#payload').inputValue()).to.equal('');
  });

  it('announces an outcome to screen readers once, and not again on other updates', async () => {
    const planted = plantExecution(2, Date.now());
    const { page, stood } = await showExecution(planted);
    await page.locator('.headline[role=status]').getByText('Sent').waitFor();
    expect(await page.locator('main [aria-live]').count()).to.equal(0);
    await page.evaluate(`new MutationObserver(() => { window.wasAnnounced = true; })
      .observe(document.querySelector('.headline'), { subtree: true, childList: true, characterData: true })`);
    stood.pushExecutions({ ...planted, repeats: 41 });
    await page.getByText('41', { exact: true }).waitFor();
    expect(await page.evaluate('window.wasAnnounced')).to.equal(undefined);
    stood.pushExecutions({ ...planted, outcome: 'delivered' });
    await page.locator('.headline').getByText('Delivered').waitFor();
  });

  it('says that a provider is up, and keeps the focus and the selection when the health is updated', async () => {
    const now = Date.now();
    const breakers = [{ host: 'api.twilio.com', state: 'closed' as const, channels: ['sms'] }];
    const { page, stood } = await show('#/health', { health: plantHealth(now, { breakers }) });
    await page.getByText('Vendors: api.twilio.com is up.').waitFor();
    await page.getByText('The same as a table').click();
    await page.locator('.scrolled').focus();
    stood.pushHealth(plantHealth(now, { breakers, inFlight: 77, deliveries: [] }));
    await page.getByText('77', { exact: true }).waitFor();
    // The focused element is gone: nothing has the focus, not even the first link.
    expect(await page.locator('main a:focus').count()).to.equal(0);
    stood.pushHealth(plantHealth(now, { breakers, inFlight: 78 }));
    await page.getByText('78', { exact: true }).waitFor();
    await page.getByText('The same as a table').click();
    await page.locator('.scrolled').focus();
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('#card-limits + *'))");
    stood.pushHealth(plantHealth(now, { breakers, inFlight: 79 }));
    await page.getByText('79', { exact: true }).waitFor();
    await page.locator('.scrolled:focus').waitFor();
    expect(await page.evaluate('getSelection().toString()')).to.include(
      'The guard blocks codes over a limit.',
    );
  });

  for (const [isShared, texts] of [
    [
      false,
      [
        /^The state of this gateway now\./m,
        /^Deliveries of the last hour$/m,
        /^The way of the codes in the last hour$/m,
      ],
    ],
    [
      true,
      [
        /^Now, Load, Channels and Limits are about this gateway\. The flow, the plots .* all gateways\./m,
        /^Deliveries of the last hour, at all gateways$/m,
        /^The way of the codes in the last hour, at all gateways$/m,
        /^\d+ in the last hour, by this gateway$/m,
      ],
    ],
  ] as const) {
    it(`says in the health whose codes it shows, ${isShared ? 'with' : 'without'} a shared history`, async () => {
      const { page } = await show('#/health', { about: { ...ABOUT, isShared } });
      await page.getByText('Okta has not requested a code in the last hour.').waitFor();
      await page.getByText('api.line.me (LINE) does not answer').waitFor();
      const shown = await page.locator('main').innerText();
      for (const text of texts) expect(shown).to.match(text);
      if (!isShared) expect(shown).to.not.include('all gateways');
    });
  }

  it('shows plots of the last hour or day, and their numbers in tables that stay open', async () => {
    const { page, stood } = await show('#/health');
    await page.getByText('Okta has not requested a code in the last hour.').waitFor();
    const time = page.getByLabel('Time', { exact: true });
    await time.selectOption('day');
    await page.getByText('Okta has not requested a code in the last day.').waitFor();
    stood.executions = plantExecutions(10, Date.now());
    stood.historyBeganAt = Date.now();
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByRole('link', { name: 'Health' }).click();
    await page
      .getByText(/Times are in Europe\/London \(GMT.*\)\. The history begins at/)
      .first()
      .waitFor();
    // Patterns tell the parts apart without colours.
    const patterned = page.locator('.plot rect[fill="url(#pattern-failedOver)"]');
    await patterned.first().waitFor();
    expect(await page.locator('pattern#pattern-failedOver').count()).to.equal(1);
    await page.getByText('The numbers of the last day, as tables').click();
    const table = page.getByRole('table', { name: 'Codes by outcome in the last day' });
    expect(await table.locator('tbody tr').count()).to.equal(24);
    const sumOf = async (): Promise<readonly number[]> => {
      // A time and its counts, separated by tabs.
      const rows = (await table.locator('tbody tr').allInnerTexts()).map((row) => row.split('\t'));
      return [1, 2, 3, 4, 5, 6].map((column) => rows.reduce((sum, cells) => sum + Number(cells[column]), 0));
    };
    // Accepted, after a failover, not delivered, unknown, blocked, refused.
    expect(await sumOf()).to.deep.equal([5, 1, 1, 1, 1, 1]);

    stood.executions = plantExecutions(20, Date.now());
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByRole('link', { name: 'Health' }).click();
    await until(async () => (await sumOf())[3] === 2);
    expect(await page.locator('details[open]').count()).to.equal(1);
    await time.selectOption('hour');
    const times = page.getByRole('table', { name: 'WhatsApp in the last hour' });
    await times.getByText('2,600 ms').first().waitFor();
    // The plots of the time to delivery have one scale.
    const tops = await page.locator('.plots .axis span:first-child').allInnerTexts();
    expect([tops.length, ...new Set(tops)]).to.deep.equal([3, '5,000 ms']);
  });

  it('says which share of a channel’s codes failed over, by time, country and first provider', async () => {
    const now = Date.now();
    const { page } = await show('#/health', { executions: plantExecutions(180, now) });
    const share = page.locator('.answer');
    await share.getByText('33 % of the WhatsApp codes failed over: 30 before the answer to Okta').waitFor();
    await page.getByLabel('Time', { exact: true }).selectOption('day');
    await share.getByText('45 before the answer to Okta').waitFor();
    await page.getByLabel('Country of the number').selectOption('DE');
    await share.getByText('10 before the answer to Okta').waitFor();
    await page.getByLabel('First provider').selectOption('TWILIO');
    await page.getByText('Blocked, or not sent').waitFor({ state: 'hidden' });
    const lines = await page.locator('.flow tbody tr').allInnerTexts();
    expect(lines.map((line) => line.replace(/[\s→]+/g, ' ').trim())).to.deep.equal([
      'Requested by Okta 36',
      'WhatsApp 30 83 % of all codes',
      'failed over 10 33 % of the WhatsApp codes',
      'then SMS 10 100 % of the WhatsApp codes that failed over',
      'delivered 22 73 % of the WhatsApp codes',
      'used 14 47 % of the WhatsApp codes',
      'Voice call 6 17 % of all codes',
      'delivered 5 83 % of the Voice call codes',
      'used 4 67 % of the Voice call codes',
    ]);
  });

  it('shows markup and script in any field as text, and runs none of it', async () => {
    const { stood, texts } = await hostileStandIn();
    standIn = stood;
    const { page } = await browser.open(stood.url);
    await page.getByLabel('User').fill('x');
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.locator('.note.warn').waitFor();
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.bar').first().waitFor();
    const seen: string[] = [await page.locator('body').innerText()];
    const id = stood.executions[0]?.id ?? '';
    const more = '#/history';
    for (const hash of [more, `#/history/${encodeURIComponent(id)}`, '#/health']) {
      await page.goto(stood.url + hash);
      await page
        .locator(hash === '#/health' ? '.deliveries' : hash === more ? '.rows .row' : '.steps')
        .first()
        .waitFor();
      await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
      seen.push(await page.locator('body').innerText());
      expect(await page.locator('main img, main script, header img, header script').count()).to.equal(0);
    }
    const missing = texts.filter((text) => !seen.some((view) => view.includes(text)));
    expect(missing).to.deep.equal([]);
  });

  it('isolates a name that is written from right to left', async () => {
    const testedBy = 'محمد الأحمد';
    const planted = plantExecution(2, Date.now(), { testedBy, repeats: 1 });
    const { page } = await showHistory([planted]);
    const tag = page.locator('.tag');
    expect(await tag.innerText()).to.equal(`test by ${testedBy}, 1 repeat`);
    expect(await tag.locator('bdi').innerText()).to.equal(testedBy);
    // Of the parts beside each other, "1 repeat" is the last one.
    const isLast = `(() => {
      const tag = document.querySelector('.tag');
      const range = document.createRange();
      range.selectNodeContents(tag.lastChild);
      return range.getBoundingClientRect().left >= tag.querySelector('bdi').getBoundingClientRect().right - 1;
    })()`;
    expect(await page.evaluate(isLast)).to.equal(true);
    await rows(page).locator('a').click();
    await page.getByText('the tester, sent by').locator('bdi').getByText(testedBy).waitFor();
  });

  it('refuses callers on a page with a style of its own', async () => {
    const stood = (standIn = await startStandIn());
    stood.isLoggedIn = false;
    const { page, tolerate } = await browser.open('about:blank', {
      otherOrigins: [new URL(stood.url).origin],
    });
    tolerate(/status of 403/);
    await page.goto(stood.url);
    await page.getByRole('heading', { name: 'You need an administrator account' }).waitFor();
    expect(await page.evaluate('getComputedStyle(document.body).maxWidth')).to.equal('640px');
    await screenshot(page, 'console-refused');
    await expectAccessible(page);
  });

  it('keeps names of 40 characters within a screen of 320 pixels', async () => {
    const channel = 'a-channel-of-our-own-with-a-long-name-40';
    const [planted] = plantExecutions(1, Date.now());
    if (planted === undefined) return expect.fail('there is one');
    const way = [
      { channel, hasFailed: true },
      { channel: `${channel}-too`, hasFailed: false },
    ];
    const execution = { ...planted, channel, way, testedBy: 'g'.repeat(100), isTest: true };
    const health = plantHealth(Date.now());
    const tally = { ...health.deliveries[0], channel } as (typeof health.deliveries)[number];
    const stood = (standIn = await startStandIn({
      executions: [execution],
      health: { ...health, deliveries: [tally], channels: [{ channel, providers: ['TWILIO'] }] },
      about: { ...ABOUT, channels: [channel] },
    }));
    const userProfile = { firstName: 'Wolfeschlegelsteinhausenbergerdorff'.repeat(2) };
    stood.made = {
      payload: { data: { userProfile, messageProfile: { phoneNumber: '+447700900123' } } },
      notes: [],
    };
    const { page } = await browser.open(stood.url, { viewport: { width: 320, height: 640 } });
    await page.getByLabel('User').fill('x');
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.getByRole('button', { name: 'Send to Wolfe' }).waitFor();
    for (const [hash, shown] of [
      ['#/tester', '.send-bar'],
      ['#/history', '.rows .row'],
      [`#/history/${planted.id}`, '.steps'],
      ['#/health', '.deliveries'],
    ] as const) {
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await page.locator(shown).first().waitFor();
      for (const width of [390, 320]) {
        await page.setViewportSize({ width, height: 640 });
        await expectNoSidewaysScroll(page);
        const beyond = await page.evaluate(
          "[...document.querySelectorAll('.row > div, .send button')].filter((each) => each.scrollWidth > each.clientWidth + 1).length",
        );
        expect(beyond, hash).to.equal(0);
      }
    }
  });

  it('underlines one tab with forced colours, and prints an execution without what is to be pressed', async () => {
    const { page } = await showExecution(plantExecution(0, Date.now()));
    await page.locator('.steps').first().waitFor();
    const underlines = (): Promise<unknown> =>
      page.evaluate(
        "new Set([...document.querySelectorAll('nav a')].map((each) => getComputedStyle(each).borderBottomColor)).size",
      );
    await page.emulateMedia({ forcedColors: 'active' });
    const colours = await page.evaluate(`[...document.querySelectorAll('nav a')].map((each) => {
      const { borderBottomColor, backgroundColor } = getComputedStyle(each);
      return borderBottomColor !== getComputedStyle(document.body).backgroundColor;
    })`);
    expect(colours).to.deep.equal([false, true, false, false]);
    expect(await underlines()).to.equal(2);
    await page.emulateMedia({ forcedColors: 'none', media: 'print' });
    expect(await page.getByRole('button').count()).to.equal(0);
    expect(await page.locator('nav').isVisible()).to.equal(false);
    expect(await page.locator('.steps').first().isVisible()).to.equal(true);
  });

  // Each theme and each width once; the nightly run has all combinations.
  const LOOKS = [
    ['dark and wide', { colorScheme: 'dark', width: 1280, height: 800 }],
    ['light and narrow', { colorScheme: 'light', width: 320, height: 640 }],
    ...(isNightly
      ? ([
          ['light and wide', { colorScheme: 'light', width: 1600, height: 900 }],
          ['dark and narrow', { colorScheme: 'dark', width: 320, height: 640 }],
        ] as const)
      : []),
  ] as const;
  it('has no axe violation and no sideways scroll in both themes, wide and narrow', async () => {
    const about = { ...ABOUT, isLearning: true };
    const { page, stood } = await show('', { about, executions: plantExecutions(12, Date.now()) });
    stood.made = { payload: { data: {} }, notes: ['The user has no phone.'] };
    stood.tested = {
      executionId: stood.executions[1]?.id,
      httpStatus: 200,
      body: { commands: [] },
      durationMs: 312,
      deadlineMs: 2500,
      reaction: { action: 'failover', text: 'Okta goes on without the hook.' },
      message: { channel: 'whatsapp', locale: 'en', parts: ['Your code is ', ''] },
    };
    // Theme and width change only the style sheet: one page can show them all.
    const inEachLook = async (check: (look: string, height: number) => Promise<void>): Promise<void> => {
      for (const [look, { colorScheme, width, height }] of LOOKS) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height });
        await check(look, height);
      }
    };
    const check = (name: string): Promise<void> =>
      inEachLook(async (look) => {
        await expectAccessible(page);
        await expectNoSidewaysScroll(page);
        await screenshot(page, `console-${name}-${look.replaceAll(' ', '-')}`);
      });
    await page.getByRole('heading', { name: 'Tester' }).waitFor();
    await check('tester-empty');
    await page.getByLabel('User').fill('x');
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.getByText('The user has no phone.').waitFor();
    await inEachLook(async (look, height) => {
      // The Send button is visible without scrolling.
      await page.evaluate('scrollTo(0, 0)');
      const box = await page.getByRole('button', { name: 'Send' }).boundingBox();
      expect((box?.y ?? height) + (box?.height ?? 0), look).to.be.at.most(height);
    });
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.bar').first().waitFor();
    await page.getByRole('button', { name: 'Copy the answer' }).click();
    expect(await page.evaluate('navigator.clipboard.readText()')).to.equal('{\n  "commands": []\n}');
    await page.getByLabel('What Okta would send').fill('{\n  "a" 1\n}');
    await page.getByText('A colon after the name is expected here.').waitFor();
    await check('tester');
    await page.goto(`${stood.url}#/history`);
    await page.getByText('12 of 12 executions').waitFor();
    await check('history');
    await page.goto(`${stood.url}#/history?search=nothing`);
    await page.getByText('Nothing fits that search.').waitFor();
    await check('history-nothing-fits');
    for (const index of [1, 9]) {
      const { id = '' } = stood.executions[index] ?? {};
      await page.goto(`${stood.url}#/history/${id}`);
      await page.getByText(id).waitFor();
      await page.getByText('The same as a table').click();
      await check(`execution-${index}`);
    }
    await page.goto(`${stood.url}#/health`);
    await page.locator('.deliveries').waitFor();
    await page.getByText('The numbers of the last hour, as tables').click();
    await check('health');
    await page.getByRole('button', { name: 'Lift the block of LK' }).click();
    await check('health-lift');
  });
});
