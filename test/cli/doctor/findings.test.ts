import { expect } from 'chai';
import { lineOf, linesOf, openWard, type Line, type Ward } from './scene.js';
import { byRoles, MISCONFIGURATIONS, type Misconfiguration, type Variables } from './misconfigurations.js';

/** A line without the parts that differ in each run. */
function withoutNames({ check, status, message, remedy }: Line): Line {
  const plain = (text: string): string =>
    text
      .replace(/(127\.0\.0\.1|localhost):\d+/g, 'HOST')
      .replace(/ENOTFOUND|EAI_AGAIN/, 'NO_NAME')
      .replace(/\b(?:cal|who)[A-Za-z0-9]{17}\b/g, 'HOOK_ID');
  return { check, status, message: plain(message), remedy: plain(remedy ?? '') };
}

/** Compares all lines that are not ok, or that `finds` names. */
async function expectFindings(
  ward: Ward,
  variables: Variables,
  { finds, unseen = 0 }: Pick<Misconfiguration, 'finds' | 'unseen'>,
): Promise<void> {
  const expected = [finds].flat();
  const isNamed = ({ check }: Line): boolean => expected.some((line) => line.check === check);
  const lines = (await ward.lines(variables))
    .filter((line) => line.status !== 'ok' || isNamed(line))
    .map(withoutNames);
  const failed = expected.filter(({ status }) => status === 'fail');
  const follow = failed.map(({ check }) => [`Not checked, because ${check} failed.`, `See ${check}.`]);
  const isUnseen = ({ status, message, remedy }: Line): boolean =>
    status === 'warn' && follow.some(([why, see]) => message === why && remedy === see);
  expect(lines.filter((line) => !isUnseen(line))).to.deep.equal(expected);
  expect(lines.filter(isUnseen)).to.have.length(unseen);
}

describe('doctor finds', () => {
  let shared: Ward;
  before(async () => {
    shared = await openWard();
  });
  after(() => shared.close());

  /** Doctor uses an API token here: as a service app it requests a token for each of 28 scopes. */
  const byToken = ({ okta }: Ward['scene']): Variables => byRoles(okta, [{ type: 'READ_ONLY_ADMIN' }]);

  for (const row of MISCONFIGURATIONS) {
    const { plant, hasOwnWard = false } = row;
    it(row.what, async () => {
      const ward = hasOwnWard ? await openWard() : shared;
      const { scene } = ward;
      const ends: (() => void)[] = [];
      try {
        const planted = typeof plant === 'function' ? await plant(scene, (end) => ends.push(end)) : plant;
        const variables = typeof planted === 'object' && planted !== null ? (planted as Variables) : {};
        // After plant(), whose own faults must match first.
        await expectFindings(ward, { ...byToken(scene), ...variables }, row);
      } finally {
        for (const end of ends) end();
        scene.okta.clearFaults();
        scene.twilio.clearFaults();
        if (hasOwnWard) await ward.close();
      }
    });
  }

  it('how far the clock of this machine differs from the clock of Okta', async () => {
    const nowMs = Math.floor(Date.now() / 1000) * 1000;
    const time = { now: () => nowMs, sleep: () => Promise.resolve() };
    for (const [oktasAheadS, status, message] of [
      [0, 'ok', "The clock agrees with Okta's."],
      [4, 'ok', "The clock agrees with Okta's."],
      [5, 'warn', "The clock is 5 s behind Okta's."],
      [29, 'warn', "The clock is 29 s behind Okta's."],
      [30, 'fail', "The clock is 30 s behind Okta's: tokens and codes look expired, or not valid yet."],
      // Okta's second may be nearly over.
      [-5, 'ok', "The clock agrees with Okta's."],
      [-6, 'warn', "The clock is 5 s ahead of Okta's."],
      [-31, 'fail', "The clock is 30 s ahead of Okta's: tokens and codes look expired, or not valid yet."],
    ] as const) {
      const date = new Date(nowMs + oktasAheadS * 1000).toUTCString();
      const fault = {
        kind: 'status',
        status: 200,
        body: { id: '00o1', pipeline: 'idx' },
        headers: { date },
      } as const;
      shared.scene.okta.fault({ fault, match: ({ path }) => path.startsWith('/.well-known'), times: 1 });
      const made = await shared.doctor('--json', { time, env: byToken(shared.scene) });
      const remedy =
        status === 'ok' ? null : 'Synchronize the clock by NTP: timedatectl set-ntp true, or chrony.';
      expect(lineOf(linesOf(made), 'machine.clock'), String(oktasAheadS)).to.deep.equal({
        check: 'machine.clock',
        status,
        message,
        remedy,
      });
    }
  });
});
