import { chanceOf } from '../chaos/chance.js';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './calendar.js';
import type { Request } from './guard.js';
import { addressOf, numberIn } from './population.js';

/** Who sends codes to numbers of their own, for a share of their price. Nobody uses one of these codes. */

export interface Attack {
  readonly name: string;
  readonly codes: number;
  readonly lastsMs: number;
  /** They take turns. */
  readonly places: readonly [Place, ...Place[]];
  /** Of each place. */
  readonly prefixes: number;
  /** The codes that may be sent until the first block; `undefined` if that depends on the honest traffic. */
  readonly blockedWithin?: number;
  /** Of the codes, those of accounts with an opt-in for WhatsApp. */
  readonly onWhatsApp?: number;
  /** Whether all codes come from one address. Default: each comes from another one. */
  readonly isOneAddress?: boolean;
}

interface Place {
  /** ISO 3166. */
  readonly country: string;
  readonly callingCode: string;
  /** Digits between the calling code and the last four. */
  readonly digits: number;
}

function abroad(country: string, callingCode: string): Place {
  return { country, callingCode, digits: 5 };
}

// Countries without honest users: each attack has its own, so that it meets no block of an earlier one.
const [AZ, UZ, TJ] = [abroad('AZ', '994'), abroad('UZ', '998'), abroad('TJ', '992')];
const [LK, MD, KZ] = [abroad('LK', '94'), abroad('MD', '373'), abroad('KZ', '7')];
const OTHERS: Attack['places'] = [
  abroad('AM', '374'),
  abroad('GE', '995'),
  abroad('KG', '996'),
  abroad('TM', '993'),
  abroad('MN', '976'),
  abroad('KH', '855'),
  abroad('LA', '856'),
  abroad('MM', '95'),
  abroad('NP', '977'),
  abroad('BT', '975'),
];
/** The market with the most users. The attacks are also on the prefixes of the employer's phones. */
const HOME: Place = { country: 'US', callingCode: '1', digits: 6 };

const TEN_MINUTES = 10 * MINUTE_MS;

export const ATTACKS: readonly Attack[] = [
  {
    ...{ name: 'one prefix, 10 minutes', codes: 500, lastsMs: TEN_MINUTES, places: [AZ], prefixes: 1 },
    blockedWithin: 10,
  },
  {
    ...{ name: 'one prefix, 1 day', codes: 500, lastsMs: DAY_MS, places: [UZ], prefixes: 1 },
    blockedWithin: 10,
  },
  {
    ...{ name: '50 prefixes, 1 hour', codes: 5000, lastsMs: HOUR_MS, places: [TJ], prefixes: 50 },
    blockedWithin: 21,
  },
  { name: '50 prefixes, 1 day', codes: 5000, lastsMs: DAY_MS, places: [LK], prefixes: 50 },
  { name: '50 prefixes at home, 1 hour', codes: 5000, lastsMs: HOUR_MS, places: [HOME], prefixes: 50 },
  { name: '2,000 prefixes at home, 1 day', codes: 5000, lastsMs: DAY_MS, places: [HOME], prefixes: 2000 },
  {
    ...{ name: 'one prefix, half on WhatsApp', codes: 500, lastsMs: TEN_MINUTES, places: [KZ], prefixes: 1 },
    ...{ onWhatsApp: 0.5, blockedWithin: 20 },
  },
  {
    ...{ name: '10 countries, one address', codes: 40, lastsMs: HOUR_MS, places: OTHERS, prefixes: 50 },
    ...{ isOneAddress: true, blockedWithin: 10 },
  },
  { name: 'below the limits, 1 day', codes: 40, lastsMs: DAY_MS, places: [MD], prefixes: 50 },
];

/** The requests of an attack in their order, and when each comes after its begin. */
export function requestsOf(
  attack: Attack,
  seed: number,
): readonly { readonly afterMs: number; readonly request: Request }[] {
  const chance = chanceOf(seed, attack.name);
  const { codes, lastsMs, places, prefixes, onWhatsApp = 0, isOneAddress = false } = attack;
  return Array.from({ length: codes }, (_, at) => {
    const { country, callingCode, digits } = places[at % places.length] ?? places[0];
    const [prefix, line] = [Math.floor(chance() * prefixes), Math.floor(chance() * 10_000)];
    return {
      afterMs: ((at + chance()) * lastsMs) / codes,
      request: {
        userId: `00ux${String(at).padStart(16, '0')}`,
        number: numberIn(callingCode, digits, prefix, line),
        country,
        ip: addressOf(0xc0_00_00 + (isOneAddress ? 0 : at)),
        channel: chance() < onWhatsApp ? 'whatsapp' : 'sms',
      },
    };
  });
}
