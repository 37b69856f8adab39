import { MINUTE_MS } from './calendar.js';
import type { PeriodResult, Tally } from './play.js';
import type { ResendResult } from './resend.js';
import { priceOf, type PriceTable } from './prices.js';

/** The report, as tables of text. */

/** Columns as wide as their widest cell; the first to the left, the others to the right. */
function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  return rows
    .map((row) =>
      widths
        .map((width, at) => (at === 0 ? (row[at] ?? '').padEnd(width) : (row[at] ?? '').padStart(width)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const HONEST_HEAD = ['', 'codes', 'used', 'blocked codes', 'blocked users', 'rules'];

/** Periods without an attack, and honest codes during one. */
export function honestTable(results: readonly PeriodResult[]): string {
  return tableOf([
    HONEST_HEAD,
    ...results.map(({ period, honest }) => [
      period.name,
      numberOf(honest.codes),
      percentOf(honest.used, honest.codes),
      numberOf(blockedIn(honest)),
      numberOf(honest.blockedUsers.size),
      rulesOf(honest),
    ]),
  ]);
}

export function attackTable(results: readonly PeriodResult[], prices: PriceTable): string {
  const head = [
    `costs in ${prices.currency}`,
    'codes',
    'sent',
    'until the first block',
    'cost',
    'saved',
    'honest blocked',
    'honest users',
    'rules',
  ];
  return tableOf([
    head,
    ...results.map(({ period, attack, honest }) => [
      period.name,
      numberOf(attack.codes),
      numberOf(attack.codes - blockedIn(attack)),
      firstBlockOf(attack),
      costOf(attack, 'sent', prices).toFixed(2),
      costOf(attack, 'blocked', prices).toFixed(2),
      numberOf(blockedIn(honest)),
      numberOf(honest.blockedUsers.size),
      rulesOf(attack),
    ]),
  ]);
}

export function blockedIn({ blocked }: Tally): number {
  return [...blocked.sms.values(), ...blocked.whatsapp.values()].reduce((sum, codes) => sum + codes, 0);
}

function costOf(tally: Tally, what: 'sent' | 'blocked', prices: PriceTable): number {
  const ofChannel = (channel: 'sms' | 'whatsapp'): number =>
    [...tally[what][channel]].reduce(
      (sum, [country, codes]) => sum + codes * priceOf(prices, { channel, country }),
      0,
    );
  return ofChannel('sms') + ofChannel('whatsapp');
}

function firstBlockOf({ firstBlock }: Tally): string {
  if (firstBlock === undefined) return 'never';
  const { afterCodes, atMs } = firstBlock;
  return `${numberOf(afterCodes)} codes, ${(atMs / MINUTE_MS).toFixed(1)} min`;
}

function rulesOf({ rules }: Tally): string {
  return [...rules].map(([rule, codes]) => `${rule} ${numberOf(codes)}`).join(', ');
}

export function numberOf(count: number): string {
  return count.toLocaleString('en-US');
}

function percentOf(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`;
}

/** Sign-ins whose code arrived, with and without the next route, by loss. */
export function resendTable(results: readonly ResendResult[]): string {
  const [first] = results;
  const places = (first?.arrivedBy ?? []).map((_, at) => `by code ${at + 1}`);
  return tableOf([
    ['the first provider loses', 'resend', ...places, 'codes a sign-in'],
    ...results.map(({ loss, losesUsers, nextRoute, signIns, arrivedBy, codes }) => [
      `${loss * 100} % of ${losesUsers ? 'users' : 'messages'}`,
      nextRoute ? 'next route' : 'same route',
      ...arrivedBy.map((arrived) => percentOf(arrived, signIns)),
      (codes / signIns).toFixed(2),
    ]),
  ]);
}
