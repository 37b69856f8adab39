import { expect } from 'chai';
import { keptParts } from '../kept-output.js';
import { writesTo } from '../runs.js';
import { byRoles, MISCONFIGURATIONS, type Misconfiguration, type Variables } from './misconfigurations.js';
import { isSkipped, lineOf, linesOf, openWard, textOf, type Line, type Ward } from './scene.js';

/**
 * Compares all findings that are not ok, and those that the row names. Their texts are in a file of `test/cli/outputs/`.
 * Doctor changes nothing meanwhile, and sends no message.
 */
describe('doctor finds', () => {
  const expectTexts = keptParts('doctor-findings');
  let shared: Ward;
  before(async () => {
    shared = await openWard();
  });
  after(() => shared.close());

  /** Doctor uses an API token here: as a service app it requests a token for each of 28 scopes. */
  const byToken = byRoles('READ_ONLY_ADMIN');

  async function look({ plant, finds }: Misconfiguration, ward: Ward): Promise<readonly Line[]> {
    const { scene } = ward;
    const ends: (() => void)[] = [];
    try {
      let variables: Variables = {};
      for (const part of [plant].flat()) {
        const planted = typeof part === 'function' ? await part(scene, (end) => ends.push(end)) : part;
        variables = { ...variables, ...(planted as Variables | undefined) };
      }
      // After the plant, whose own faults must match first.
      const env = { ...byToken(scene), ...variables };
      scene.okta.requests.length = 0;
      const lines = await ward.lines(env);
      expect(writesTo(scene.okta)).to.deep.equal([]);
      expect(scene.twilio.requests.filter(({ method }) => method !== 'GET')).to.deep.equal([]);
      return lines.filter(({ status, check }) => status !== 'ok' || [finds].flat().includes(`ok ${check}`));
    } finally {
      for (const end of ends) end();
      scene.okta.clearFaults();
      scene.twilio.clearFaults();
    }
  }

  for (const row of MISCONFIGURATIONS) {
    it(row.what, async () => {
      const ward = row.hasOwnWard === true ? await openWard() : shared;
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
    const lines: Line[] = [];
    // Okta's second may be nearly over.
    for (const oktasAheadS of [0, 4, 5, 29, 30, -5, -6, -31]) {
      const date = new Date(nowMs + oktasAheadS * 1000).toUTCString();
      const body = { id: '00o1', pipeline: 'idx' };
      const fault = { kind: 'status', status: 200, body, headers: { date } } as const;
      shared.scene.okta.fault({ fault, match: ({ path }) => path.startsWith('/.well-known'), times: 1 });
      const made = await shared.doctor('--json', { time, env: byToken(shared.scene) });
      lines.push(lineOf(linesOf(made), 'machine.clock'));
    }
    expectTexts('the clock', textOf(lines));
  });
});
