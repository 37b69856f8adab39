import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect } from 'chai';
import { CommandError } from '#lib/cli/failure.js';
import { Variables, withFile } from '#lib/cli/environment.js';
import { variablesWhere } from '#lib/options/variables.js';
import { readGivenProof, readHookProof } from '#lib/cli/hook-proof.js';
import { rejection } from '../testing/local.js';
import { captureTerminal } from './captured-terminal.js';

type Env = Readonly<Record<string, string | undefined>>;

const variablesOf = (env: Env): Variables => new Variables(env, captureTerminal().terminal);
const SECRET = 'hook-secret-5f1c9ab2';

/** The error that `require` throws, or `undefined`. */
function problemOf(variables: Variables): unknown {
  try {
    variables.require();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('the environment', () => {
  it('hides every secret of its variables', () => {
    const secrets = variablesWhere(({ secretsIn }) => secretsIn !== undefined);
    const values: Record<string, string> = Object.fromEntries(
      secrets.map((name) => [name, `value-of-${name}`]),
    );
    values['REDIS_URL'] = 'redis://user:secret%2Dof%2Dredis@redis.example';
    values['STATE_ENCRYPTION_KEY'] = 'secret-of-state-1, secret-of-state-2';
    const { terminal, stdout } = captureTerminal();
    new Variables({ ...values, OKTA_CLIENT_ID: '0oa-is-no-secret' }, terminal);
    const hidden = [
      ...Object.values(values).flatMap((value) => value.split(', ')),
      ...['secret%2Dof%2Dredis', 'secret-of-redis'],
    ];
    for (const secret of hidden) terminal.say(secret);
    terminal.say('0oa-is-no-secret');
    expect(stdout()).to.equal('[secret]\n'.repeat(hidden.length) + '0oa-is-no-secret\n');
  });

  it('reports missing variables, wrong values, and variables that exclude each other', () => {
    const variables = variablesOf({ PUBLIC_URL: 'http://acme.example' });
    expect(problemOf(variables)).to.equal(undefined);
    variables.read('PUBLIC_URL');
    const isWrong =
      "PUBLIC_URL must be the hook's own public URL as entered in Okta, without a query; https, or http on loopback";
    const remedy = 'Set it in the environment, or in a file that --env names.';
    const one = problemOf(variables);
    expect(one).to.be.instanceOf(CommandError);
    expect(one).to.include({ exitCode: 2, code: 'BAD_ENVIRONMENT', message: isWrong, remedy });
    variables.read('PUBLIC_URL');
    variables.required('HOOK_SECRET', "the header's value");
    variables.complain('A does not go with B');
    expect(problemOf(variables)).to.include({
      message: `The environment cannot work:\n- HOOK_SECRET is missing: the header's value\n- A does not go with B\n- ${isWrong}`,
      remedy,
    });
    // Each problem is reported once.
    expect(problemOf(variables)).to.equal(undefined);
  });

  it('asks at a terminal for a missing secret, hides it, and checks it like a variable', async () => {
    const { terminal, stdin, stdout, stderr } = captureTerminal({ isTTY: true });
    const variables = new Variables({}, terminal);
    stdin.write(`${SECRET}\n`);
    expect(await variables.secret('HOOK_SECRET', "the header's value")).to.equal(SECRET);
    expect(variables.takeProblems()).to.deep.equal([]);
    terminal.say(`It is ${SECRET}.`);
    expect(stdout()).to.equal('It is [secret].\n');
    expect(stderr()).to.equal("HOOK_SECRET (the header's value): \n");
    // It does not ask again for a typed secret.
    expect(await variables.secret('HOOK_SECRET', '')).to.equal(SECRET);
    stdin.write('\n');
    expect(await variables.secret('OKTA_API_TOKEN', 'a token')).to.equal('');
    expect(variables.takeProblems()).to.deep.equal(['OKTA_API_TOKEN is missing: a token']);
    // The rules of a variable apply to a typed secret.
    stdin.write('two words\tand a tab\n');
    await variables.secret('TWILIO_AUTH_TOKEN', 'a token');
    expect(variables.takeProblems()).to.have.length(1);
  });

  it('does not ask for a secret that is set, or without a terminal', async () => {
    const { terminal, stderr } = captureTerminal({ isTTY: true });
    expect(await new Variables({ HOOK_SECRET: SECRET }, terminal).secret('HOOK_SECRET', '')).to.equal(SECRET);
    expect(stderr()).to.equal('');
    const variables = variablesOf({});
    expect(await variables.secret('HOOK_SECRET', 'what it is')).to.equal('');
    expect(variables.takeProblems()).to.deep.equal(['HOOK_SECRET is missing: what it is']);
  });

  describe('has the credentials of the hook:', () => {
    const OAUTH = {
      HOOK_OAUTH_CLIENT_ID: '0oa1',
      HOOK_OAUTH_TOKEN_URL: 'https://acme.okta.com/oauth2/default/v1/token',
      HOOK_OAUTH_SCOPE: 'telephony',
    };
    const BY = { HOOK_OAUTH_CLIENT_SECRET: SECRET };
    const proofBy = async (env: Env, options: Readonly<Record<string, unknown>> = {}) => {
      const { terminal } = captureTerminal();
      const variables = new Variables(env, terminal);
      const call = {
        options,
        variables,
        terminal,
        time: { now: () => 0, sleep: () => Promise.resolve() },
        signals: process,
        report: {},
      };
      const proof = await readGivenProof(call);
      const problems = variables.takeProblems();
      return { proof, problems, variables, read: () => readHookProof(call) };
    };

    it('a secret, in the header of --header', async () => {
      const { proof, read } = await proofBy({ HOOK_SECRET: SECRET }, { header: 'x-token', rotate: true });
      expect(proof).to.deep.equal({ kind: 'header', headerName: 'x-token', secret: SECRET });
      expect(await read()).to.deep.equal(proof);
    });

    it('none, which is a problem for setup only', async () => {
      const { proof, problems, variables, read } = await proofBy({});
      expect([proof, problems]).to.deep.equal([undefined, []]);
      expect(await read()).to.deep.equal({ kind: 'header', headerName: undefined, secret: '' });
      expect(variables.takeProblems()).to.deep.equal([
        "HOOK_SECRET is missing: the whole header value that Okta's inline hook sends",
      ]);
    });

    const KEY = { HOOK_OAUTH_KEY_ID: 'HKYabcdefghijklmnopq' };
    const all = { ...OAUTH, ...BY, ...KEY };
    for (const name of Object.keys(all) as (keyof typeof all)[]) {
      it(`OAuth 2.0 if only ${name} is set, with the other variables as missing`, async () => {
        const { proof, problems } = await proofBy({ HOOK_SECRET: SECRET, [name]: all[name] });
        expect(proof?.kind).to.equal('oauth');
        const together = Object.keys(OAUTH)
          .filter((other) => other !== name)
          .map((other) => `${other} is missing: it goes with the other variables HOOK_OAUTH_…`);
        const isProven = name in BY || name in KEY;
        const bySecret =
          "HOOK_OAUTH_CLIENT_SECRET is missing: the client's secret; in its place HOOK_OAUTH_KEY_ID of a hook key will do";
        expect(problems).to.deep.equal([...together, ...(isProven ? [] : [bySecret])]);
      });
    }

    for (const [what, by, expected, ...problems] of [
      ['a client secret', BY, { clientSecret: SECRET }],
      ['a hook key', KEY, { hookKeyId: KEY.HOOK_OAUTH_KEY_ID }],
      [
        'both',
        { ...BY, ...KEY },
        { clientSecret: SECRET },
        'HOOK_OAUTH_KEY_ID does not go with HOOK_OAUTH_CLIENT_SECRET: unset one of them',
      ],
    ] as const) {
      it(`OAuth 2.0 with ${what}`, async () => {
        const made = await proofBy({ ...OAUTH, ...by });
        expect(made.proof).to.deep.equal({
          kind: 'oauth',
          clientId: OAUTH.HOOK_OAUTH_CLIENT_ID,
          tokenUrl: OAUTH.HOOK_OAUTH_TOKEN_URL,
          scope: OAUTH.HOOK_OAUTH_SCOPE,
          by: expected,
        });
        expect(made.problems).to.deep.equal(problems);
      });
    }

    it('OAuth 2.0 with the token URL of the issuer', async () => {
      const { proof, problems } = await proofBy({
        ...OAUTH,
        ...BY,
        HOOK_OAUTH_TOKEN_URL: '',
        HOOK_OAUTH_ISSUER: 'https://acme.okta.com/oauth2/default/',
      });
      expect(proof).to.include({ tokenUrl: OAUTH.HOOK_OAUTH_TOKEN_URL });
      expect(problems).to.deep.equal([]);
    });

    it('a hook key, for which --rotate is an error', async () => {
      const { read } = await proofBy({ ...OAUTH, ...KEY }, { rotate: true });
      expect(await rejection(read())).to.include({
        exitCode: 2,
        code: 'BAD_USE',
        message: '--rotate is for secrets, and a hook key has none.',
        remedy:
          'Register the public key of another hook key with the client, and set HOOK_OAUTH_KEY_ID to its id. No option is needed.',
      });
      const kept = await proofBy({ ...OAUTH, ...KEY });
      expect(await kept.read()).to.deep.equal(kept.proof);
      const rotated = await proofBy({ ...OAUTH, ...BY }, { rotate: true });
      expect(await rotated.read()).to.deep.equal(rotated.proof);
    });
  });

  describe('from a file', () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-'))));
    afterEach(() => {
      rmSync(folder, { recursive: true, force: true });
    });

    it('has the values of the file for variables that are not set', () => {
      const file = join(folder, 'gateway.env');
      writeFileSync(file, 'A=of the file\nB=of the file\nC="of the file"\n');
      const env = { A: 'of the environment', B: '', C: undefined, D: '' };
      expect(withFile(env, file)).to.deep.equal({
        values: { A: 'of the environment', B: 'of the file', C: 'of the file' },
        changed: ['C'],
      });
      expect(withFile(env, undefined)).to.deep.equal({ values: env });
    });

    it('names the variables that docker reads differently', () => {
      const file = join(folder, 'gateway.env');
      const keyLine = 'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg=';
      writeFileSync(
        file,
        `A='quoted'\nB=space \nC=line end\r\nD=value # comment\nE=\nF=as it is=\nexport G=x\nH="-----BEGIN\n${keyLine}\n-----END"\n${keyLine}\r\n`,
      );
      const { values, changed } = withFile({}, file);
      expect(values).to.include({ A: 'quoted', B: 'space', C: 'line end', D: 'value', F: 'as it is=' });
      expect(changed).to.have.members(['A', 'B', 'C', 'D', 'G', 'H']);
    });

    it('refuses a wrong line by its number, and does not show the line', () => {
      const file = join(folder, 'gateway.env');
      const noVariable = 'is no NAME=value';
      const noEnd = 'opens a quote that is not closed.';
      for (const [text, line, why] of [
        ['HOOK_SECRET\nPUBLIC_URL=https://id.acme.com\n', 1, noVariable],
        ['# a comment\n\nA=1\nnot-to-be-shown\nB=2\n', 4, noVariable],
        ['A=1\nexport B', 2, noVariable],
        ['A="-----BEGIN\nnot-to-be-shown\n-----END" # a key\r\nB=\n\nnot-to-be-shown', 6, noVariable],
        ['A=-----BEGIN\nnot-to-be-shown\n-----END\nB=1\n', 2, noVariable],
        // Node reads each of these as the name of the next variable, or as a part of that name.
        ['A=1\n  # not-to-be-shown\nB=2\n', 2, noVariable],
        ['A=1\n  \nB=2\n', 2, noVariable],
        ['A=1\n\t\r\nB=2\n', 2, noVariable],
        ['\uFEFFA=1\n', 1, noVariable],
        ['A=1\nexport\tB=not-to-be-shown\n', 2, noVariable],
        ['A=1\nexport  B=not-to-be-shown\n', 2, noVariable],
        ['=not-to-be-shown\n', 1, noVariable],
        ['A B=not-to-be-shown\n', 1, noVariable],
        ['A="not-to-be-shown\nB=1\n', 1, noEnd],
        ["A=1\nexport B = 'not-to-be-shown", 2, noEnd],
        ['A="1"\nB="not-to-be-shown\nC="2"\nD=3\n', 2, noEnd],
        ['A="not-to-be-shown\nnot-to-be-shown\nB=1\n', 1, noEnd],
        ['A=`\n', 1, noEnd],
      ] as const) {
        writeFileSync(file, text);
        expect(() => withFile({}, file), text)
          .to.throw(CommandError, `Line ${line} of the file ${file} that --env names ${why}`)
          .that.satisfies(
            ({ exitCode, code, message }: CommandError) =>
              exitCode === 2 && code === 'BAD_ENVIRONMENT' && !message.includes('shown'),
          );
      }
    });

    it('reads comments, quotes and values of several lines as Node does', () => {
      const file = join(folder, 'gateway.env');
      for (const text of [
        '\n#\n# "\nA=\n  B = \'\n{\n}\n\'\nC=it\'s\nD=`a\n"b"`\nE="x"\r\n\r\nexport F=y\n',
        'A="-----BEGIN\nMII=\n-----END" # a key\r\nB=it\'s\nC=a"b\nD=\'x"\' y\n',
      ]) {
        writeFileSync(file, text);
        expect(withFile({}, file).values).to.deep.equal(parseEnv(text));
      }
    });

    it('fails with BAD_USE if the file does not exist', () => {
      const file = join(folder, 'none');
      expect(() => withFile({}, file))
        .to.throw(CommandError, `The file ${file} that --env names cannot be read (ENOENT).`)
        .that.includes({ exitCode: 2, code: 'BAD_USE' });
    });
  });
});
