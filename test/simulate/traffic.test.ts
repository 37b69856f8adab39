import { expect } from 'chai';
import { chanceOf, shuffled } from '../chaos/chance.js';
import { ATTACKS, requestsOf } from './attacks.js';
import { BEGIN_MS, codesOfHour, DAY_MS, HOUR_MS, nextRequestMs } from './calendar.js';
import { Moments } from './moments.js';
import { CONVERSION, reactionTo } from './people.js';
import { Population } from './population.js';

const hoursOf = (days: number): readonly number[] =>
  Array.from({ length: days * 24 }, (_, hour) => BEGIN_MS + hour * HOUR_MS);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

describe('simulated traffic', () => {
  it('has so many codes on an average day, most on Monday morning, few on weekends', () => {
    expect(sum(hoursOf(7).map((atMs) => codesOfHour(atMs, 1000)))).to.be.closeTo(7000, 0.01);
    const ofDay = (day: number): number =>
      sum(hoursOf(1).map((atMs) => codesOfHour(atMs + day * DAY_MS, 1000)));
    expect(ofDay(0)).to.be.greaterThan(ofDay(1));
    expect(ofDay(1)).to.be.closeTo(ofDay(4), 0.01);
    expect(ofDay(5)).to.be.lessThan(ofDay(1) / 5);
  });

  it('draws requests at the rate of their hour', () => {
    const chance = chanceOf(1, 'requests');
    let codes = 0;
    for (let atMs = BEGIN_MS; atMs < BEGIN_MS + 14 * DAY_MS; codes += 1)
      atMs = nextRequestMs(atMs, 1000, chance);
    expect(codes).to.be.within(13_500, 14_500);
  });

  it('gives what happens in the order of its time', () => {
    const times = Array.from({ length: 200 }, (_, at) => Math.floor(at / 2));
    const moments = new Moments<number>();
    for (const atMs of shuffled(times, chanceOf(1, 'times'))) moments.add(atMs, atMs);
    const taken: number[] = [];
    for (let next = moments.takeBefore(90); next !== undefined; next = moments.takeBefore(90))
      taken.push(next.item);
    expect(taken).to.deep.equal(times.filter((atMs) => atMs < 90));
    expect(moments.takeBefore(91)).to.deep.equal({ atMs: 90, item: 90 });
  });

  it('uses 72 % of the codes: a user without one asks again, at most three times', () => {
    const chance = chanceOf(1, 'reactions');
    const reactions = Array.from({ length: 20_000 }, () => reactionTo(1, chance, CONVERSION));
    const uses = reactions.flatMap((reaction) => (reaction.kind === 'use' ? [reaction] : []));
    expect(uses.length / reactions.length).to.be.closeTo(CONVERSION, 0.01);
    const delays = uses.map(({ afterMs }) => afterMs).sort((one, other) => one - other);
    expect(delays[delays.length >> 1]).to.be.within(12_500, 14_500);
    expect(uses.every(({ afterMs, eventAfterMs }) => eventAfterMs >= afterMs)).to.equal(true);
    expect(Array.from({ length: 100 }, () => reactionTo(4, chance, CONVERSION).kind)).to.not.include(
      'resend',
    );
  });

  it('has users of several countries and prefixes, some with a phone of their employer, a third on WhatsApp', () => {
    const population = new Population(1000, chanceOf(1, 'people'));
    expect(population.size).to.equal(5000);
    const users = Array.from({ length: 5000 }, () => population.enroll());
    expect(new Set(users.map(({ id }) => id)).size).to.equal(5000);
    expect(new Set(users.map(({ country }) => country)).size).to.equal(14);
    expect(users.filter(({ isOnWhatsApp }) => isOnWhatsApp).length / 5000).to.be.closeTo(0.3, 0.03);
    const prefixes = new Map<string, number>();
    for (const { number } of users) {
      const prefix = number.slice(0, -4);
      prefixes.set(prefix, (prefixes.get(prefix) ?? 0) + 1);
    }
    expect(prefixes.size).to.be.greaterThan(1000);
    expect(Math.max(...prefixes.values())).to.be.greaterThan(200);
  });

  for (const attack of ATTACKS) {
    it(`attacks ${attack.name}: ${attack.codes} codes`, () => {
      const requests = requestsOf(attack, 1);
      expect(requests).to.have.length(attack.codes);
      const times = requests.map(({ afterMs }) => afterMs);
      expect(times).to.deep.equal([...times].sort((one, other) => one - other));
      expect(times[times.length - 1]).to.be.lessThan(attack.lastsMs);
      const prefixes = new Set(requests.map(({ request }) => request.number.slice(0, -4)));
      expect(prefixes.size).to.be.within(1, attack.prefixes * attack.places.length);
      expect(requestsOf(attack, 1)).to.deep.equal(requests);
    });
  }
});
