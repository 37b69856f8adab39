import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { transformSync } from 'esbuild';
import { buildIfStale, ROOT } from '#harness/consumer.js';
import { checkOptions } from '#lib/core/option-rules.js';
import { optionRules } from '#lib/options/schema.js';
import type { HookSettings } from '#lib/options/settings.js';
import { SPOKEN_LANGUAGES } from '#lib/texts/spoken-code.js';
import { makeGateway } from '#lib/cli/init/files.js';
import { optionsFrom } from '#lib/options/environment.js';
import { oktaTelephonyHook, type HookEvent, type OktaTelephonyHookOptions } from '#lib/index.js';
import { FAULT_KINDS } from '#lib/testing/server/answer.js';
import { CALLBACK_FAULT_KEYS } from '#lib/testing/server/status-callbacks.js';
import { VOICES } from '#lib/channels/twilio/voices.js';
import { freePort } from '#harness/free-port.js';
import { BOB, CODE, HOOK_SECRET, startScene } from '#harness/scene.js';
import { pageAt, sectionOf } from './docs/pages.js';
import { problemsOf, type SnippetModule } from './docs/snippet-problems.js';
import { SNIPPETS, snippetIn, type Snippet } from './docs/snippets.js';

const OPTIONS =
  "import type { OktaTelephonyHookOptions } from 'okta-telephony-hook'; declare const options: OktaTelephonyHookOptions;";
const HOOK = "import { oktaTelephonyHook } from 'okta-telephony-hook';";
const APP = "import type { Express } from 'express'; declare const app: Express;";

const MADE = "import type { TelephonyHook } from 'okta-telephony-hook'; declare const hook: TelephonyHook;";

/** The code before a snippet, by its heading. A snippet that is not listed compiles alone. */
const BEFORE: Readonly<Record<string, string>> = {
  Twilio: `${APP} ${OPTIONS} declare const credentials: typeof options.credentials;`,
  'Twilio Verify': `${APP} ${OPTIONS} declare const credentials: typeof options.credentials, senders: typeof options.senders;`,
  'Rolling a channel out': 'declare const flags: { readonly whatsappPercent: number };',
  'Letting users choose': 'declare const apiToken: string, userId: string;',
  'Sign in at the emulated Okta': `import type { TwilioEmulator } from 'okta-telephony-hook/testing'; declare const twilio: TwilioEmulator, authorizeUrl: string;`,
  'The command line against the demo org':
    "import type { DemoOrg } from 'okta-telephony-hook/demo'; declare const org: DemoOrg, publicUrl: string;",
  'Set it up':
    'declare function finishPairing(channel: string, from: string, text: string): Promise<boolean>;',
  'Several gateways': `${HOOK} ${OPTIONS} declare const process: { env: { REDIS_URL: string; STATE_ENCRYPTION_KEY: string } };`,
  'Sentinel and Cluster': `${HOOK} ${OPTIONS} declare const process: { env: { REDIS_URL: string; STATE_ENCRYPTION_KEY: string } };`,
  'The console': `${APP} import type { Request } from 'express'; import 'express-session'; import type { TelephonyHook } from 'okta-telephony-hook'; declare const hook: TelephonyHook; declare module 'express-session' { interface SessionData { user: { name: string; isAdministrator: boolean } } }`,
  'Channels beyond Twilio': `${HOOK} ${OPTIONS} declare const channelAccessToken: string, applicationId: string, privateKey: string;`,
  'Your own checks': 'declare function riskOf(ip: string | undefined, signal: AbortSignal): Promise<number>;',
  'Block risky numbers by Twilio Lookup': OPTIONS,
  'node:http': MADE,
  Nest: `${MADE} declare class AppModule {}`,
  Fastify: MADE,
  'AWS Lambda': MADE,
  Metrics: `${HOOK} ${OPTIONS} ${APP}`,
};

/** A snippet, completed to a module that compiles. */
function moduleOf(snippet: Snippet): SnippetModule {
  const before = BEFORE[snippet.heading] ?? '';
  // A part of the options.
  if (/^\w+:/.test(snippet.code)) {
    const declared = `${before} import type { OktaTelephonyHookOptions } from 'okta-telephony-hook'; export const part: Partial<OktaTelephonyHookOptions> = {`;
    return { ...snippet, before: declared, code: `${snippet.code}};` };
  }
  // `// …` means the other options. The snippet's constants are for code that follows: exported, they count as used.
  const code = snippet.code
    .replace(/^ *\/\/ ….*$/m, '...options,')
    .replaceAll(/^const (?=\w)/gm, 'export const ');
  return { ...snippet, before, code: `${code}export {};` };
}

function toJavaScript(code: string): string {
  return transformSync(code, { loader: 'ts', format: 'esm', target: 'es2023' }).code;
}

describe('the snippets of all pages, and the gateway that init writes', () => {
  it('compile', () => {
    expect(SNIPPETS).to.have.length.above(14);
    const headings = SNIPPETS.map(({ heading }) => heading);
    expect(headings).to.include.members(Object.keys(BEFORE));
    const wrong = {
      document: 'example.md',
      heading: '',
      line: 7,
      code: 'const a = 1;\nexport const b: string = a;\n',
      before: '',
    };
    const { name, text } = makeGateway('gateway.ts', 'https://id.acme.com/codes');
    const written = { document: name, heading: '', line: 1, code: text, before: '' };
    const [of, ...problems] = problemsOf([wrong, ...SNIPPETS.map(moduleOf), written]);
    expect(problems).to.deep.equal([]);
    expect(of).to.match(/^example\.md:8: Type 'number' is not assignable/);
  });
});

describe('the README and the guides', () => {
  it('list every fault of the emulators', () => {
    const listed = [
      ...sectionOf('docs/test/test.md', 'Make a vendor fail').matchAll(/^\| `(\w+)` +\|/gm),
    ].map(([, kind]) => kind);
    expect(FAULT_KINDS).to.have.length.above(10);
    // The first row is the head of the table.
    expect(listed).to.deep.equal(['kind', ...FAULT_KINDS]);
  });

  it('list every key of faultCallbacks()', () => {
    const item = /^- `faultCallbacks(.*?)(?=^- )/ms.exec(pageAt('docs/test/emulators.md'))?.[1] ?? '';
    expect(CALLBACK_FAULT_KEYS).to.have.length(6);
    for (const key of CALLBACK_FAULT_KEYS) expect(item).to.include(`\`${key}\``);
  });

  it('show first a gateway that starts without a warning', async () => {
    const values: Readonly<Record<string, string>> = {
      HOOK_SECRET,
      OKTA_ORG_URL: 'https://acme.okta.com',
      OKTA_API_TOKEN: '00token-of-the-readme',
      PUBLIC_URL: 'https://id.acme.com/okta/telephony',
      TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
      TWILIO_API_KEY_SID: `SK${'0'.repeat(32)}`,
      TWILIO_API_KEY_SECRET: 'key-secret-of-the-readme',
      TWILIO_AUTH_TOKEN: 'auth-token-of-the-readme',
      TWILIO_SMS_FROM: '+14155550100',
      TWILIO_VOICE_FROM: '+14155550100',
      TWILIO_SANDBOX_NUMBER: '+14155238886',
      GUARD_COUNTRIES: 'US,CA',
    };
    // init asks for each of them, and makes the secret.
    const questions = sectionOf('docs/start/first-code.md', '4. Make the gateway').split('### ')[0] ?? '';
    const asked = [...questions.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, name = '']) => name);
    expect(['HOOK_SECRET', ...asked]).to.have.members(Object.keys(values));
    expect(snippetIn('README.md', 'Mount it in your own app')).to.include('optionsFrom(process.env)');
    const events: HookEvent[] = [];
    const options = optionsFrom(values);
    await oktaTelephonyHook({ ...options, logger: false, onEvent: (event) => events.push(event) }).close();
    expect(events).to.deep.equal([]);
  });

  it('draw the shutdown in the order of the gateway that init writes', () => {
    const steps = /hook\.drain|server\.close(?=\()|hook\.close/g;
    const { text } = makeGateway('gateway.mjs', undefined);
    const drawn = /```mermaid.*?```/s.exec(sectionOf('docs/run/deploy.md', 'Shut down'))?.[0] ?? '';
    expect(drawn.slice(drawn.indexOf('participant')).match(steps)).to.deep.equal([
      'hook.drain',
      'server.close',
      'hook.close',
    ]);
    expect(text.match(steps)).to.deep.equal(drawn.slice(drawn.indexOf('participant')).match(steps));
  });

  it('show texts that the hook sends as shown and accepts without a warning', async () => {
    const url = `data:text/javascript,${encodeURIComponent(toJavaScript(snippetIn('docs/deliver/texts.md', 'Texts and languages')))}`;
    const { texts } = (await import(url)) as Pick<OktaTelephonyHookOptions, 'texts'>;
    const events: HookEvent[] = [];
    const scene = await startScene({ hook: { texts, onEvent: (event) => events.push(event) } });
    try {
      const { phone, id } = BOB;
      await scene.call({ userId: id, phoneNumber: phone, msgTemplate: undefined });
      const body = scene.twilio.messages.at(-1)?.body ?? '';
      expect(pageAt('docs/deliver/texts.md').replaceAll('204981', CODE)).to.include(
        `\n\`\`\`\n${body}\n\`\`\`\n`,
      );
      expect(
        events.filter((event) => event.type === 'configuration.warned' && event.option.startsWith('texts')),
      ).to.be.empty;
    } finally {
      await scene.close();
    }
  });

  it('draw the handlers of a call in the order in which the hook mounts them', () => {
    const drawn = [...pageAt('docs/how-it-works.md').matchAll(/<b>(\w+)<\/b>/g)].map(([, name]) => name);
    const source = readFileSync(join(ROOT, 'lib/hook/router.ts'), 'utf8');
    const bodyOf = (name: string): string =>
      new RegExp(`function ${name}\\(.*?\n}\n`, 's').exec(source)?.[0] ?? '';
    const steps = bodyOf('answerCall').replace('sendOnce(', bodyOf('sendOnce'));
    const called = [...steps.matchAll(/(\w+)\(/g)].map(([, name]) => name);
    expect(called.filter((name) => drawn.includes(name))).to.deep.equal(drawn);
  });

  it('draw the time of a request with the defaults of its parts', () => {
    const page = pageAt('docs/how-it-works.md');
    const drawn = (name: string): number =>
      Number(new RegExp(`^  ${name} :\\d+, (\\d+)$`, 'm').exec(page)?.[1]);
    const { deadlineMs, profile } = checkOptions<HookSettings>(optionRules(), {}).value;
    expect(drawn('response margin')).to.equal(deadlineMs);
    expect(drawn('send window')).to.equal(deadlineMs * 0.9);
    expect(drawn('profile, at most')).to.equal(profile.timeoutMs);
  });

  it('list the voices of calls', () => {
    // The voices of the languages for which the package has texts.
    const names = Object.entries(VOICES)
      .filter(([locale]) => SPOKEN_LANGUAGES.includes(locale.split('-')[0] ?? ''))
      .map(([, { voice }]) => voice);
    expect(names).to.have.length.above(15);
    for (const name of names) expect(pageAt('docs/deliver/texts.md')).to.include(name);
  });
});

describe('the code of the guides, unchanged,', () => {
  const gateway = join(ROOT, 'test', `readme-${process.pid}.tmp.mjs`);
  const emulator = join(ROOT, 'test', `readme-okta-${process.pid}.tmp.mjs`);
  /**
   * Its clock advances at most 1 ms per turn of the event loop: even on a busy machine it answers within three seconds.
   * The waits of the code follow that clock too: sinon's module does not replace those of node:timers/promises.
   */
  const OWN_TIME = `data:text/javascript,${encodeURIComponent(`
    import { syncBuiltinESMExports } from 'node:module';
    import timers from 'node:timers/promises';
    import { slowTime } from '${new URL('harness/slow-time.js', import.meta.url).href}';
    slowTime(1);
    timers.setTimeout = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    syncBuiltinESMExports();
  `)}`;
  /** The printed lines without the log of the hook. */
  let lines: readonly string[];

  // One process for both: the bad day, then the Okta emulator.
  before(async function () {
    // In some phases vendors keep the hook waiting.
    const badDay = snippetIn('docs/test/emulators.md', 'The demo org, and a bad day');
    const code = badDay.replaceAll('3100', String(await freePort()));
    writeFileSync(gateway, `${toJavaScript(code)}\nawait import('./${basename(emulator)}');\n`);
    writeFileSync(emulator, toJavaScript(snippetIn('docs/test/emulators.md', 'Okta emulator')));
    buildIfStale();
    const run = promisify(execFile)(process.execPath, ['--import', OWN_TIME, gateway], { cwd: ROOT });
    lines = (await run).stdout.split('\n').filter((line) => !line.startsWith('{"'));
  });
  after(() => {
    for (const file of [gateway, emulator]) rmSync(file, { force: true });
  });

  it('plays a bad day: the hook answers every call in time, but not every code arrives', () => {
    const phases = lines.flatMap((line) => {
      const [, name = '', counts] = /^([a-z-]+) (\{.*\})$/.exec(line) ?? [];
      return counts === undefined ? [] : [{ name, counts: JSON.parse(counts) as Record<string, number> }];
    });
    const outcomes = new Map(phases.map(({ name, counts }) => [name, Object.keys(counts).join('; ')]));
    expect([...outcomes.keys()]).to.have.length(6);
    for (const { counts } of phases) expect(Object.values(counts).reduce((a, b) => a + b)).to.equal(20);
    // Only the first phase is good.
    expect(outcomes.get('all-well')).to.match(/^sent, got whatsapp/);
    expect(outcomes.get('all-well')).to.not.match(/pending|error|nothing/);
    expect(outcomes.get('okta-slow')).to.include('sent, got sms');
    expect(outcomes.get('twilio-brown-out')).to.include('pending, got nothing yet');
    // Some users get WhatsApp, the others an SMS after WhatsApp failed.
    expect(outcomes.get('whatsapp-fails-late'))
      .to.match(/sent, got whatsapp/)
      .and.match(/sent, got sms/);
    expect(outcomes.get('connections-reset')).to.include('pending');
    expect(outcomes.get('okta-rate-limit')).to.equal('sent, got sms');
  });

  it("tests the Okta emulator's hooks and schema", () => {
    expect(lines).to.include("[ 'Codes: ACTIVE' ]");
  });
});
