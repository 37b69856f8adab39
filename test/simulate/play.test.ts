import { expect } from 'chai';
import { ATTACKS } from './attacks.js';
import { BEGIN_MS, DAY_MS, HOUR_MS } from './calendar.js';
import type { LearningGuard, Request } from './guard.js';
import { play, type Period, type PeriodResult } from './play.js';
import { attackTable, blockedIn, honestTable, resendTable } from './tables.js';

const ATTACK = ATTACKS[0]!;
const PERIODS: readonly Period[] = [
  { name: 'quiet', untilMs: BEGIN_MS + 2 * DAY_MS },
  { name: 'silent', untilMs: BEGIN_MS + 4 * DAY_MS, hasUses: false },
  { name: 'attacked', untilMs: BEGIN_MS + 6 * DAY_MS, attack: ATTACK },
];

/** A guard that blocks what a function says. */
class StandIn implements LearningGuard {
  readonly sent: (readonly [atMs: number, request: Request])[] = [];
  readonly used: (readonly [atMs: number, request: Request])[] = [];
  readonly #isBlocked: (request: Request) => boolean;

  constructor(isBlocked: (request: Request) => boolean = () => false) {
    this.#isBlocked = isBlocked;
  }

  send(request: Request, atMs: number): { readonly rules: readonly string[] } {
    this.sent.push([atMs, request]);
    return { rules: this.#isBlocked(request) ? ['stand-in'] : [] };
  }

  use(request: Request, atMs: number): void {
    this.used.push([atMs, request]);
  }
}

const playWith = (guard: LearningGuard, seed = 1): Promise<readonly PeriodResult[]> =>
  play({ beginMs: BEGIN_MS, size: 500, seed, periods: PERIODS }, guard);

describe('a simulated run', () => {
  it('is the same for the same seed', async () => {
    const [one, same, other] = [new StandIn(), new StandIn(), new StandIn()];
    await playWith(one);
    await playWith(same);
    await playWith(other, 2);
    expect(same.sent).to.deep.equal(one.sent);
    expect(same.used).to.deep.equal(one.used);
    expect(other.sent).to.not.deep.equal(one.sent);
  });

  it('tells the guard all codes and uses in their order, except for uses without the event hook', async () => {
    const guard = new StandIn();
    const [quiet, silent, attacked] = await playWith(guard);
    const times = guard.sent.map(([atMs]) => atMs);
    expect(times).to.deep.equal([...times].sort((one, other) => one - other));
    const usesIn = (from: number, until: number): number =>
      guard.used.filter(([atMs]) => atMs >= BEGIN_MS + from * DAY_MS && atMs < BEGIN_MS + until * DAY_MS)
        .length;
    expect(usesIn(0, 2)).to.equal(quiet?.honest.used).and.to.be.greaterThan(500);
    expect(usesIn(2, 4)).to.equal(0);
    expect(silent?.honest.used).to.be.greaterThan(500);
    expect(usesIn(4, 6)).to.equal(attacked?.honest.used);
  });

  it('counts an attack apart, from its first code to its first block', async () => {
    let codes = 0;
    const guard = new StandIn(({ country }) => country === ATTACK.places[0].country && (codes += 1) > 7);
    const [quiet, , attacked] = await playWith(guard);
    expect(quiet?.attack.codes).to.equal(0);
    expect(attacked?.attack.codes).to.equal(ATTACK.codes);
    expect(attacked && blockedIn(attacked.attack)).to.equal(ATTACK.codes - 7);
    expect(attacked?.attack.firstBlock?.afterCodes).to.equal(7);
    expect(attacked?.attack.firstBlock?.atMs).to.be.within(0, ATTACK.lastsMs / 10);
    expect(attacked && blockedIn(attacked.honest)).to.equal(0);
  });

  it('lets no user use a blocked code, and counts blocked users once', async () => {
    const guard = new StandIn(({ country }) => country === 'US');
    const [quiet] = await playWith(guard);
    expect(guard.used.some(([, { country }]) => country === 'US')).to.equal(false);
    expect(quiet?.honest.blockedUsers.size).to.be.within(1, blockedIn(quiet!.honest) - 1);
  });

  it('loses the texts of one country in a morning without texts', async () => {
    const guard = new StandIn();
    const untilMs = BEGIN_MS + DAY_MS;
    const periods = [{ name: 'outage', untilMs, outageOf: 'US' }];
    await play({ beginMs: BEGIN_MS, size: 500, seed: 1, periods }, guard);
    // Uses of codes from before, and events that come late, last for minutes.
    const [fromMs, toMs] = [BEGIN_MS + 8.3 * HOUR_MS, BEGIN_MS + 10 * HOUR_MS];
    const used = guard.used.filter(([atMs]) => atMs >= fromMs && atMs < toMs).map(([, request]) => request);
    const isText = ({ country, channel }: Request): boolean => country === 'US' && channel === 'sms';
    expect(used.filter(isText)).to.deep.equal([]);
    expect(used.some(({ country, channel }) => country === 'US' && channel === 'whatsapp')).to.equal(true);
    expect(used.some(({ country, channel }) => country !== 'US' && channel === 'sms')).to.equal(true);
  });

  it('enrols many people in a morning with many enrolments', async () => {
    const periods = [{ name: 'enrolments', untilMs: BEGIN_MS + DAY_MS, enrollments: 300 }];
    const traffic = { beginMs: BEGIN_MS, size: 15, seed: 1, periods };
    const [result] = await play(traffic, new StandIn());
    expect(result?.honest.codes).to.be.within(330, 430);
    expect(result?.honest.used).to.be.within(220, 300);
  });

  it('reports codes, users, costs and rules', async () => {
    const guard = new StandIn(
      ({ country, number }) => country === ATTACK.places[0].country && number.endsWith('7'),
    );
    const results = await playWith(guard);
    const [head, quiet] = honestTable(results).split('\n');
    expect(head).to.match(/^ +codes +used +blocked codes +blocked users +rules$/);
    expect(quiet).to.match(/^quiet +1,\d{3} +7\d\.\d % +0 +0$/);
    const prices = { currency: 'EUR', sms: { default: 0.5 }, whatsapp: { default: 0.1 } };
    const [title, row] = attackTable(results.slice(2), prices).split('\n');
    expect(title).to.match(/^costs in EUR +codes +sent/);
    const blocked = blockedIn(results[2]!.attack);
    expect(row).to.include(`${ATTACK.codes - blocked}`);
    expect(row).to.include((blocked * 0.5).toFixed(2));
    expect(row).to.include(`stand-in ${blocked}`);
  });

  it('reports what a resend by the next route gains', () => {
    const both = { loss: 0.1, losesUsers: true, signIns: 200 };
    const rows = resendTable([
      { ...both, nextRoute: false, arrivedBy: [180, 180], codes: 240 },
      { ...both, nextRoute: true, arrivedBy: [180, 199], codes: 220 },
    ]);
    expect(rows).to.equal(
      [
        'the first provider loses      resend  by code 1  by code 2  codes a sign-in',
        '10 % of users             same route     90.0 %     90.0 %             1.20',
        '10 % of users             next route     90.0 %     99.5 %             1.10',
      ].join('\n'),
    );
  });
});
