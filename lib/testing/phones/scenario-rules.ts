import type { OktaEmulator } from '../okta/emulator.js';
import type { Fault } from '../server/faults.js';
import { pathOf, type RecordedRequest } from '../server/request.js';
import type { CallbackFault } from '../twilio/lifecycle.js';
import type { TwilioEmulator } from '../twilio/emulator.js';

/** The emulators that a bad day happens to. */
export interface BadDayVendors {
  readonly okta: OktaEmulator;
  readonly twilio: TwilioEmulator;
}

/** Ends every scenario. The emulators clear all rules together, those of others too. */
export function clearScenarios({ okta, twilio }: BadDayVendors): void {
  okta.clearFaults();
  okta.setRateLimit(undefined);
  twilio.clearFaults();
}

type Match<Subject> = (subject: Subject) => boolean;

/** Sets rules at both emulators. Each rule hits a share of the requests, by default 1, which is all. */
export class ScenarioRules {
  readonly #vendors: BadDayVendors;
  // Each list of rules draws by itself: requests reach the vendors in another order each time.
  readonly #oktaFaults: ShareOut<RecordedRequest>;
  readonly #twilioFaults: ShareOut<RecordedRequest>;
  readonly #failures: ShareOut<RecordedRequest>;
  readonly #callbacks: ShareOut<object>;

  /** @param random - makes a stream of numbers from 0 up to 1; the same number names the same stream. */
  constructor(vendors: BadDayVendors, random: (stream: number) => () => number = () => () => 0) {
    this.#vendors = vendors;
    this.#oktaFaults = shareOut(random(1));
    this.#twilioFaults = shareOut(random(2));
    this.#failures = shareOut(random(3));
    this.#callbacks = shareOut(random(4));
  }

  okta(fault: Fault, share = 1): this {
    this.#vendors.okta.fault({ fault, match: this.#oktaFaults(share, isUsersCall) });
    return this;
  }

  /** Okta's rate limit of reading one user has no call left until it ends. */
  useUpRateLimit(resetInSeconds: number): this {
    this.#vendors.okta.setRateLimit({ limit: 600, remaining: 0, resetInSeconds });
    return this;
  }

  twilio(fault: Fault, share = 1, isMeant?: Match<RecordedRequest>): this {
    this.#vendors.twilio.fault({ fault, match: this.#twilioFaults(share, isMeant) });
    return this;
  }

  refuse(code: number, match: Match<RecordedRequest>): this {
    this.#vendors.twilio.refuseWith({ code, match });
    return this;
  }

  /** Messages that Twilio accepts and does not deliver. */
  failLater(code: number, isMeant: Match<RecordedRequest>, share = 1): this {
    this.#vendors.twilio.failLater({ code, match: this.#failures(share, isMeant) });
    return this;
  }

  callbacks(fault: CallbackFault, share = 1): this {
    this.#vendors.twilio.faultCallbacks({ ...fault, match: this.#callbacks(share) });
    return this;
  }
}

type ShareOut<Subject> = (share: number, isMeant?: Match<Subject>) => Match<Subject>;

/**
 * Shares subjects out among rules: each call makes the `match` of a rule for a share of the subjects that it means. A
 * subject has one draw, however many rules ask, so that the nth subject always meets the same rule.
 */
function shareOut<Subject extends object>(random: () => number): ShareOut<Subject> {
  const draws = new WeakMap<Subject, number>();
  let given = 0;
  return (share, isMeant = () => true) => {
    const from = given;
    const to = from + share;
    given = to;
    return (subject) => {
      if (!isMeant(subject)) return false;
      const draw = draws.get(subject) ?? random();
      draws.set(subject, draw);
      return draw >= from && draw < to;
    };
  };
}

function isUsersCall(request: RecordedRequest): boolean {
  return pathOf(request).startsWith('/api/v1/users');
}
