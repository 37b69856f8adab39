import { expect } from 'chai';
import { keptParts } from '../kept-output.js';
import { writesTo } from '../runs.js';
import { byRoles, MISCONFIGURATIONS, type Misconfiguration, type Variables } from './misconfigurations.js';
import {
  isSkipped,
  lineOf,
  linesOf,
  openWard,
  textOf,
  WITHOUT,
  type Line,
  type Ward,
  type WardOptions,
} from './scene.js';

/** The variable of each side, and the checks that say or skip something else without it. */
const SIDES = {
  OKTA_ORG_URL: /^okta\.|^way\.url$|^hook\.(event-)?secret$|^machine\.clock$/,
  PUBLIC_URL:
    /^(hook|way)\.|^okta\.(org|credential|hook|event-hook)$|^twilio\.(credential|auth-token|account)$/,
  TWILIO_ACCOUNT_SID: /^(twilio|redis|machine)\.|^hook\.(variables|answers|callbacks)$/,
} as const;
type Side = keyof typeof SIDES;

/** The sides that no finding of a row depends on. Doctor does not get their variables: it would only check the same again. */
function unusedSides({ finds }: Misconfiguration): readonly Side[] {
  const named = [finds].flat().map((finding) => finding.split(' ')[1] ?? '');
  return (Object.keys(SIDES) as Side[]).filter((side) => !named.some((check) => SIDES[side].test(check)));
}

/**
 * Compares all findings that are not ok of the sides that a row is about, and those that it names. Their texts are in a file of `test/cli/outputs/`.
 * Doctor changes nothing meanwhile, and sends no message.
 */
describe('doctor finds', () => {
  const expectTexts = keptParts('doctor-findings');
  let shared: Ward;
  before(async () => {
    shared = await openWard();
  });
  after(() => shared.close());

  const byToken = byRoles('READ_ONLY_ADMIN');

  async function look(row: Misconfiguration, ward: Ward): Promise<readonly Line[]> {
    const { plant, finds } = row;
    const { scene } = ward;
    const ends: (() => void)[] = [];
    try {
      let variables: Variables = {};
      for (const part of [plant].flat()) {
        const planted = typeof part === 'function' ? await part(scene, (end) => ends.push(end)) : part;
        variables = { ...variables, ...(planted as Variables | undefined) };
      }
      // After the plant, whose own faults must match first.
      const unused = unusedSides(row).filter((side) => !(side in variables));
      const without = Object.fromEntries(unused.map((side) => [side, '']));
      const env = { ...byToken(scene), ...without, ...variables };
      scene.okta.requests.length = 0;
      const lines = await ward.lines(env);
      expect(writesTo(scene.okta)).to.deep.equal([]);
      expect(scene.twilio.requests.filter(({ method }) => method !== 'GET')).to.deep.equal([]);
      return lines
        .filter(({ check }) => !unused.some((side) => SIDES[side].test(check)))
        .filter(({ status, check }) => status !== 'ok' || [finds].flat().includes(`ok ${check}`));
    } finally {
      for (const end of ends) end();
      scene.okta.clearFaults();
      scene.twilio.clearFaults();
    }
  }

  const setupsOf = (row: Misconfiguration): WardOptions['setups'] => {
    const unused = unusedSides(row);
    if (unused.includes('OKTA_ORG_URL')) return [];
    return unused.includes('PUBLIC_URL') ? ['attribute'] : undefined;
  };

  for (const row of MISCONFIGURATIONS) {
    it(row.what, async () => {
      const ward = row.hasOwnWard === true ? await openWard({ setups: setupsOf(row) }) : shared;
      try {
        const lines = await look(row, ward);
        const found = lines
          .filter((line) => !isSkipped(line))
          .map(({ status, check }) => `${status} ${check}`);
        expect(found).to.deep.equal([row.finds].flat());
        expectTexts(row.what, textOf(lines));
      } finally {
        if (ward !== shared) await ward.close();
      }
    });
  }

  it('how far the clock of this machine differs from the clock of Okta', async () => {
    const nowMs = Math.floor(Date.now() / 1000) * 1000;
    const time = { now: () => nowMs, sleep: () => Promise.resolve() };
    const env = { ...byToken(shared.scene), ...WITHOUT.hook, ...WITHOUT.twilio };
    const lines: Line[] = [];
    // Okta's second may be nearly over.
    for (const oktasAheadS of [0, 4, 5, 29, 30, -5, -6, -31]) {
      const date = new Date(nowMs + oktasAheadS * 1000).toUTCString();
      const body = { id: '00o1', pipeline: 'idx' };
      const fault = { kind: 'status', status: 200, body, headers: { date } } as const;
      shared.scene.okta.fault({ fault, match: ({ path }) => path.startsWith('/.well-known'), times: 1 });
      const made = await shared.doctor('--json', { time, env });
      lines.push(lineOf(linesOf(made), 'machine.clock'));
    }
    expectTexts('the clock', textOf(lines));
  });
});
