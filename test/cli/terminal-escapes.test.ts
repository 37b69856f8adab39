import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { text as textOfStream } from 'node:stream/consumers';
import { expect } from 'chai';
import { reportFailure } from '#lib/cli/failure.js';
import { Terminal } from '#lib/cli/terminal.js';
import type { OktaEmulator } from '#lib/testing/index.js';
import { ANA, HOOK_SECRET, startScene, type Scene } from '#harness/scene.js';
import { callApi, eventHook, telephonyHook } from '../testing/okta/client.js';
import { run, type Run, type RunOptions } from './runs.js';

/**
 * Characters in a name that control a terminal: OSC 52 (the clipboard), cursor moves, a forged line of the command line, the
 * same with C1 bytes, characters that reverse or hide text, and characters beyond 16 bits.
 */
const EVIL =
  '\x1b]52;c;ZXZpbA==\x07\x1b[2A\x1b[2K\r\n✔ forged\n\x9b31m\x9d8;;x\x9c\u202eevil\u2066\u200b\u2028\u2029\x7f\u{e0041}';
const SHOWN = String.raw`\x1b]52;c;ZXZpbA==\x07\x1b[2A\x1b[2K\x0d\x0a✔ forged\x0a\x9b31m\x9d8;;x\x9c\u202eevil\u2066\u200b\u2028\u2029\x7f\udb40\udc41`;

/** The escapes of the command line itself: its colours, and the cursor moves of readline. */
// eslint-disable-next-line no-control-regex -- the test looks for escapes
const OURS = /\x1b\[(?:(?:1|2|22|3\d|39)m|\d+G|0J)/g;
const UNSEEN = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** `read()` returns all that was written, or, as of Node 26, one write after the other. */
function writtenTo(stream: PassThrough): string {
  let text = '';
  for (let chunk: unknown = stream.read(); chunk !== null; chunk = stream.read()) text += String(chunk);
  return text;
}

function expectPlain(text: string): void {
  // At a terminal readline ends its line with CRLF.
  const others = text.replace(OURS, '').replaceAll('\r\n', '\n');
  expect(UNSEEN.exec(others)?.index, JSON.stringify(others)).to.equal(undefined);
  expect(others.split('\n')).to.not.include('✔ forged');
}

/** A proxy of the emulated org. In its answers each text of a field with one of these names ends with `EVIL`. */
async function startHostileOrg(okta: OktaEmulator, names: ReadonlySet<string>): Promise<Server> {
  const spoilt = (value: unknown, name = ''): unknown => {
    if (typeof value === 'string') return names.has(name) ? value + EVIL : value;
    if (Array.isArray(value)) return value.map((entry) => spoilt(entry, name));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, spoilt(entry, key)]));
  };
  const server = createServer((req, res) => {
    void (async () => {
      const { method = 'GET', url = '/', headers } = req;
      const sent = await textOfStream(req);
      const answer = await fetch(okta.orgUrl + url, {
        method,
        headers: {
          authorization: headers.authorization ?? '',
          'content-type': headers['content-type'] ?? 'application/json',
        },
        ...(sent === '' ? {} : { body: sent.replaceAll(JSON.stringify(EVIL).slice(1, -1), '') }),
      });
      const text = await answer.text();
      res.writeHead(answer.status, { 'content-type': 'application/json' });
      res.end(text === '' ? '' : JSON.stringify(spoilt(JSON.parse(text))));
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe('the output', () => {
  describe('shows the control characters in names of the org as visible escapes', () => {
    let scene: Scene;
    let org: Server | undefined;
    beforeEach(async () => {
      scene = await startScene();
    });
    afterEach(async () => {
      org?.closeAllConnections();
      org?.close();
      org = undefined;
      await scene.close();
    });

    /** Runs a command against the hostile org: at a terminal, at a pipe, and with `--json`. */
    const runs = async (
      args: string,
      names: readonly string[],
      options: RunOptions = {},
    ): Promise<readonly Run[]> => {
      org = await startHostileOrg(scene.okta, new Set(names));
      const env = {
        OKTA_ORG_URL: `http://127.0.0.1:${(org.address() as AddressInfo).port}`,
        PUBLIC_URL: scene.url,
        HOOK_SECRET,
        ...options.env,
      };
      const made: Run[] = [];
      for (const [words, answers] of [
        [args, ['n', 'n']],
        [args, undefined],
        [`${args} --json${args.startsWith('setup') ? ' --yes' : ''}`, undefined],
      ] as const) {
        made.push(await run(scene.okta, words, { ...options, env, ...(answers && { answers }) }));
      }
      return made;
    };

    const expectShown = (made: readonly Run[]): void => {
      for (const { stdout, stderr } of made) {
        expectPlain(stdout);
        expectPlain(stderr);
        expect(stdout + stderr).to.include(SHOWN);
      }
      const inJson = JSON.stringify(made.at(-1)?.json());
      expect(inJson).to.include(JSON.stringify(EVIL).slice(1, -1));
    };

    const addAttribute = async (type: string): Promise<void> => {
      const permissions = [{ principal: 'SELF', action: 'READ_ONLY' }];
      const properties = {
        codesByWhatsApp: { title: 'Codes', type, permissions, master: { type: 'PROFILE_MASTER' } },
      };
      const definitions = { custom: { id: '#custom', type: 'object', properties } };
      await callApi(scene.okta, 'POST', '/api/v1/meta/schemas/user/default', { definitions });
    };

    it('in the fields of an attribute that setup changes', async () => {
      await addAttribute('boolean');
      const env = { OPT_IN_ATTRIBUTE: 'codesByWhatsApp' };
      expectShown(await runs('setup attribute', ['action', 'mutability', 'title'], { env }));
    });

    it('in the name and the header of a hook that setup changes', async () => {
      await callApi(scene.okta, 'POST', '/api/v1/inlineHooks', telephonyHook(scene.url));
      expectShown(await runs('setup hook --name Codes --header Authorization', ['name', 'key']));
    });

    it('in the fields of an event hook that setup changes', async () => {
      await callApi(scene.okta, 'POST', '/api/v1/eventHooks', eventHook(`${scene.url}/events`));
      expectShown(await runs('setup event-hook --skip-check', ['name', 'key', 'items']));
    });

    it("in Okta's error message", async () => {
      const made = await runs('setup hook', ['errorSummary'], {
        env: { OKTA_API_TOKEN: 'nobody-s-api-token' },
      });
      for (const { stdout, stderr } of made) {
        expectPlain(stdout);
        expectPlain(stderr);
        expect(stderr).to.include('✔ forged').and.include('Okta says');
      }
    });

    it('in the findings of doctor', async () => {
      await callApi(scene.okta, 'POST', '/api/v1/inlineHooks', telephonyHook(`${scene.url}/before`));
      await callApi(scene.okta, 'POST', '/api/v1/eventHooks', eventHook(`${scene.url}/events`));
      const names = ['name', 'key', 'items', 'action', 'mutability', 'title', 'providerName', 'type'];
      const made = await runs('doctor', names);
      for (const { stdout, stderr } of made) {
        expectPlain(stdout);
        expectPlain(stderr);
        expect(stdout + stderr).to.include(SHOWN);
      }
      expect(JSON.parse(made.at(-1)?.stdout ?? '')).to.be.an('array');
    });

    it('in the name of the hook that preview calls', async () => {
      await callApi(scene.okta, 'POST', '/api/v1/inlineHooks', telephonyHook(scene.url, HOOK_SECRET));
      const env = { PUBLIC_URL: 'https://other.example/hook' };
      const made = await runs(`preview --user ${ANA.login}`, ['name', 'provider', 'errorSummary'], { env });
      expectShown(made);
    });

    it('in a payload that preview prints as JSON', async () => {
      const made = await runs(`preview --user ${ANA.login} --print`, ['firstName', 'locale'], {
        isShownToOwner: true,
      });
      for (const { stdout } of made) {
        expectPlain(stdout);
        expect(JSON.stringify(JSON.parse(stdout))).to.include(JSON.stringify(EVIL).slice(1, -1));
      }
    });
  });

  describe('of any text', () => {
    const write = (work: (terminal: Terminal) => void, isTTY = true): string => {
      const [stdin, stdout, stderr] = [0, 1, 2].map(() => Object.assign(new PassThrough(), { isTTY }));
      if (stdin === undefined || stdout === undefined || stderr === undefined) return '';
      work(new Terminal({ stdin, stdout, stderr }, { isJson: false, mayColour: true }));
      return `${writtenTo(stdout)}${writtenTo(stderr)}`;
    };

    // A lone surrogate is not a character.
    const hidden = Array.from({ length: 0x110000 }, (_none, code) => code)
      .filter((code) => code < 0xd800 || code > 0xdfff)
      .map((code) => String.fromCodePoint(code))
      .filter((character) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(character));

    for (const isTTY of [true, false]) {
      it(`shows each control and format character as a visible escape, at a ${isTTY ? 'terminal' : 'pipe'}`, () => {
        expect(hidden).to.not.be.empty;
        for (const character of hidden) {
          const written = write((terminal) => {
            terminal.say(`<${character}>`);
            terminal.note(`<${character}>`);
          }, isTTY);
          expect(written).to.match(/^<(\\x..|(\\u....)+)>\n<(\\x..|(\\u....)+)>\n$/);
        }
      });
    }

    it('keeps the line breaks between lines, and the colours around them', () => {
      expect(
        write((terminal) => terminal.say(['', 'One', 'two\nthree', 'ça va – 日本語 ✔']), false),
      ).to.equal('\nOne\ntwo\\x0athree\nça va – 日本語 ✔\n');
      expect(write((terminal) => terminal.note('\x1b[31mred', 'green'))).to.equal(
        '\x1b[32m\\x1b[31mred\x1b[39m\n',
      );
    });

    it('has one line for the message of an unexpected error, and one for each frame of its stack', () => {
      for (const message of [EVIL, 'plain', '']) {
        const written = write((terminal) => {
          reportFailure(new TypeError(message), terminal);
        }, false);
        expectPlain(written);
        const [first = '', ...places] = written.trimEnd().split('\n');
        expect(first)
          .to.match(/^✘ TypeError/)
          .and.include(message === EVIL ? SHOWN : message);
        expect(places).to.not.be.empty;
        for (const place of places) expect(place).to.match(/^ {4}at /);
      }
    });

    it('hides a secret next to a control character, and a secret of several lines', () => {
      const written = write((terminal) => {
        terminal.hide('s3cr3t');
        terminal.hide('-----BEGIN\nMIIE\n-----END');
        terminal.say('\x1bs3cr3t\x1b');
        terminal.say('a -----BEGIN\nMIIE\n-----END');
        terminal.say(['b -----BEGIN', 'MIIE', '-----END']);
      }, false);
      expect(written).to.equal('\\x1b[secret]\\x1b\na [secret]\nb [secret]\n');
    });
  });
});
