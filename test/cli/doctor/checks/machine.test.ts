import { expect } from 'chai';
import { examineMachine } from '#lib/cli/doctor/checks/machine.js';
import { Variables } from '#lib/cli/environment.js';
import { captureTerminal } from '../../captured-terminal.js';

const OKTA = {
  group: { title: 'Okta', checks: [] },
  answer: undefined,
  headerName: () => Promise.resolve(undefined),
};

describe('examineMachine', () => {
  for (const [version, isRecent] of [
    ['18.20.4', false],
    ['19.99.0', false],
    ['20.18.9', false],
    ['20.19.0', true],
    ['20.20.1', true],
    ['21.0.0', true],
    ['22.18.0', true],
    ['100.1.0', true],
  ] as const) {
    it(`${isRecent ? 'accepts' : 'refuses'} Node ${version}`, async () => {
      const variables = new Variables({}, captureTerminal().terminal);
      const { title, checks } = examineMachine(variables, OKTA, version);
      expect(title).to.equal('This machine');
      const message = `Node is ${version}.`;
      expect(await checks.find(({ name }) => name === 'machine.node')?.run()).to.deep.equal(
        isRecent
          ? { status: 'ok', message, remedy: undefined }
          : { status: 'fail', message, remedy: 'Install 20.19 or later.' },
      );
    });
  }

  for (const [changed, status] of [
    [undefined, undefined],
    [[], 'ok'],
    [['HOOK_SECRET', 'NODE_ENV'], 'warn'],
  ] as const) {
    it(`names what docker reads differently in ${changed ? `a file: ${changed.join() || 'nothing'}` : 'no file'}`, async () => {
      const variables = new Variables({}, captureTerminal().terminal, changed);
      const { checks } = examineMachine(variables, OKTA);
      const found = await checks.find(({ name }) => name === 'machine.file')?.run();
      expect(found?.status).to.equal(status);
      if (changed !== undefined) expect(found?.message).to.include(changed.join(', '));
    });
  }
});
