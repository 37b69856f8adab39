/** The users of an organisation, with their numbers. */

interface Country {
  /** ISO 3166. */
  readonly country: string;
  readonly callingCode: string;
  /** Digits between the calling code and the last four. */
  readonly digits: number;
  /** Of 100 users. */
  readonly share: number;
  /** Prefixes in which its users have their numbers. */
  readonly prefixes: number;
}

/** A company with a large home market, two large sites, and a few people in many countries. */
const COUNTRIES: readonly Country[] = [
  { country: 'US', callingCode: '1', digits: 6, share: 40, prefixes: 2000 },
  { country: 'IN', callingCode: '91', digits: 6, share: 15, prefixes: 2000 },
  { country: 'GB', callingCode: '44', digits: 6, share: 12, prefixes: 1000 },
  { country: 'DE', callingCode: '49', digits: 7, share: 8, prefixes: 1000 },
  { country: 'BR', callingCode: '55', digits: 7, share: 5, prefixes: 500 },
  { country: 'PH', callingCode: '63', digits: 6, share: 5, prefixes: 500 },
  { country: 'PL', callingCode: '48', digits: 5, share: 4, prefixes: 300 },
  { country: 'MX', callingCode: '52', digits: 6, share: 3, prefixes: 300 },
  { country: 'SG', callingCode: '65', digits: 4, share: 3, prefixes: 200 },
  { country: 'JP', callingCode: '81', digits: 6, share: 2, prefixes: 200 },
  { country: 'CR', callingCode: '506', digits: 4, share: 1, prefixes: 50 },
  { country: 'IE', callingCode: '353', digits: 5, share: 1, prefixes: 50 },
  { country: 'IS', callingCode: '354', digits: 3, share: 0.5, prefixes: 20 },
  { country: 'MT', callingCode: '356', digits: 4, share: 0.5, prefixes: 20 },
];
const SHARES = COUNTRIES.reduce((sum, { share }) => sum + share, 0);

/** Codes that an average user requests on a day. */
const CODES_PER_USER = 0.2;
/** Users who request half of all codes. */
const FREQUENT = 0.1;
/** Users of WhatsApp. */
const WHATSAPP = 0.3;
/** Users whose phone is from the employer: their numbers are in the first prefixes of their country. */
const EMPLOYERS_PHONES = 0.2;
const USERS_PER_EMPLOYERS_PREFIX = 1000;
/** Users who sign in through the network of the employer, at one address for all countries. */
const EMPLOYERS_NETWORK = 0.5;
const EMPLOYERS_ADDRESS = '203.0.113.7';

export interface User {
  readonly id: string;
  readonly number: string;
  readonly country: string;
  readonly ip: string;
  readonly isOnWhatsApp: boolean;
}

export class Population {
  readonly #users: User[] = [];
  readonly #chance: () => number;

  constructor(codesPerDay: number, chance: () => number) {
    this.#chance = chance;
    const users = Math.max(10, Math.round(codesPerDay / CODES_PER_USER));
    for (let made = 0; made < users; made += 1) this.enroll();
  }

  get size(): number {
    return this.#users.length;
  }

  /** A user who requests a code: some do so far more often than others. */
  any(): User {
    const chance = this.#chance;
    const among = chance() < 0.5 ? Math.ceil(this.size * FREQUENT) : this.size;
    const user = this.#users[Math.floor(chance() * among)];
    if (user === undefined) throw new Error('a population has users');
    return user;
  }

  /** A new user. */
  enroll(): User {
    const chance = this.#chance;
    const country = this.#country();
    const place = this.size;
    const user = {
      id: `00u${String(place).padStart(17, '0')}`,
      number: this.#number(country),
      country: country.country,
      ip: chance() < EMPLOYERS_NETWORK ? EMPLOYERS_ADDRESS : addressOf(place),
      isOnWhatsApp: chance() < WHATSAPP,
    };
    this.#users.push(user);
    return user;
  }

  #country(): Country {
    let lot = this.#chance() * SHARES;
    for (const country of COUNTRIES) {
      lot -= country.share;
      if (lot < 0) return country;
    }
    throw new RangeError('the shares add up');
  }

  #number({ share, callingCode, digits, prefixes }: Country): string {
    const chance = this.#chance;
    const ofEmployer = (this.size * EMPLOYERS_PHONES * share) / SHARES / USERS_PER_EMPLOYERS_PREFIX;
    const prefix =
      chance() < EMPLOYERS_PHONES
        ? Math.floor(chance() * Math.max(1, Math.ceil(ofEmployer)))
        : Math.floor(chance() * prefixes);
    return numberIn(callingCode, digits, prefix, Math.floor(chance() * 10_000));
  }
}

/** A number: `prefix` counts the prefixes of a country from 0. */
export function numberIn(callingCode: string, digits: number, prefix: number, line: number): string {
  // No country's mobile numbers begin with 0 after the calling code.
  const national = 2 * 10 ** (digits - 1) + prefix;
  return `+${callingCode}${national}${String(line).padStart(4, '0')}`;
}

/** An address of a home or a phone, of the range for benchmarks (RFC 2544) and beyond. */
export function addressOf(place: number): string {
  return `10.${(place >> 16) & 255}.${(place >> 8) & 255}.${place & 255}`;
}
