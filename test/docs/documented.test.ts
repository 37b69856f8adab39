import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '#harness/consumer.js';
import { COMMANDS } from '#lib/cli/program.js';
import { EVENT_TYPES } from '#lib/events/describe-event.js';
import { OPTION_VARIABLES } from '#lib/options/environment.js';
import { variablesWhere } from '#lib/options/variables.js';
import { optionRules } from '#lib/options/schema.js';
import { anchorsOf, GUIDES, pageAt, proseAt, sectionOf } from './pages.js';

/** One place explains each public name: a heading, or an item of a list that begins with the name. */

interface Entry {
  readonly page: string;
  /** The heading, or the part of an item before the colon. */
  readonly head: string;
  readonly text: string;
}

/** The other reference pages explain no options; the emulators have their own. */
const ENTRIES: readonly Entry[] = GUIDES.filter(
  (page) => !/^docs\/(?:reference\/(?!options|cli)|test\/)/.test(page),
).flatMap((page) =>
  [
    /^#{2,4} (.*)((?:\n(?!#).*)*)/gm,
    /^- ((?:`[^`\n]+`(?: \([^\n]*?\))?(?:, | and )?)+):(.*(?:\n(?!#|- ).*)*)/gm,
  ].flatMap((pattern) =>
    [...proseAt(page).matchAll(pattern)].map(([, head = '', text = '']) => ({ page, head, text })),
  ),
);

/** The names in code at the beginning of an entry: `a`, `a`, `b`, or `a` (default: …). */
const namesIn = (head: string): readonly string[] =>
  [...head.replaceAll(/\(.*?\)/g, '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

const entriesOf = (name: string): readonly Entry[] =>
  ENTRIES.filter(({ head }) => namesIn(head).includes(name));

/** joi's description of a rule. */
interface Rule {
  readonly flags?: { readonly default?: unknown };
  readonly keys?: Readonly<Record<string, Rule>>;
}

interface Option {
  readonly path: string;
  readonly default: unknown;
}

/** Every option without parts, with its path. */
function optionsOf(rule: Rule, path = ''): readonly Option[] {
  const parts = Object.entries(rule.keys ?? {});
  if (parts.length === 0) return [{ path, default: rule.flags?.default }];
  return parts.flatMap(([name, part]) => optionsOf(part, path === '' ? name : `${path}.${name}`));
}

/** The texts that explain an option: its entry, or the entry of the option around it. */
function textsOf(path: string): readonly string[] {
  const own = entriesOf(path).map(({ head, text }) => head + text);
  const at = path.lastIndexOf('.');
  if (own.length > 0 || at === -1) return own;
  return textsOf(path.slice(0, at)).filter((text) => new RegExp(`\\b${path.slice(at + 1)}\\b`).test(text));
}

/** The other options that users set: their type, and the section that lists them. */
const FURTHER_OPTIONS = [
  ['channels/azure/options.ts', 'AzureSmsOptions', 'docs/deliver/azure.md', 'Options of `azureSms`'],
  ['channels/azure/options.ts', 'AzureCredential', 'docs/deliver/azure.md', 'Options of `azureSms`'],
  ['channels/line/line.ts', 'LineChannelOptions', 'docs/deliver/line.md', 'Options of `lineChannel`'],
  [
    'channels/meta/options.ts',
    'WhatsAppCloudOptions',
    'docs/deliver/whatsapp-cloud.md',
    'Options of `whatsAppCloud`',
  ],
  [
    'channels/vonage/options.ts',
    'VonageChannelOptions',
    'docs/deliver/vonage.md',
    'Options of `vonageChannel`',
  ],
  ['channels/vonage/options.ts', 'VonageCredential', 'docs/deliver/vonage.md', 'Options of `vonageChannel`'],
  [
    'channels/relay/relay.ts',
    'RelayChannelOptions',
    'docs/start/moving-over.md',
    'Options of `relayChannel`',
  ],
  ['channels/twilio/verify.ts', 'TwilioVerifyOptions', 'docs/deliver/twilio.md', 'Options of `twilioVerify`'],
  ['state/redis/options.ts', 'RedisStateOptions', 'docs/run/several-gateways.md', 'Options'],
  ['options/options.ts', 'ConsoleOptions', 'docs/run/console.md', 'The console'],
  ['testing/phones/page.ts', 'PhonesPageOptions', 'docs/test/emulators.md', "The phones' page"],
  ['testing/phones/bad-day.ts', 'BadDayOptions', 'docs/test/emulators.md', 'The demo org, and a bad day'],
  ['testing/okta/hooks/hook-payload.ts', 'HookPayloadOptions', 'docs/test/test.md', 'Send what Okta sends'],
  ['testing/okta/hooks/hook-calls.ts', 'HookCallOptions', 'docs/test/test.md', 'Send what Okta sends'],
  ['testing/okta/hooks/hook-calls.ts', 'HookCall', 'docs/test/test.md', 'Send what Okta sends'],
  ['testing/okta/hooks/verdict.ts', 'OktaVerdict', 'docs/test/test.md', 'Send what Okta sends'],
  ['testing/okta/emulator.ts', 'OktaEmulatorOptions', 'docs/test/emulators.md', 'Okta emulator'],
  ['testing/azure/emulator.ts', 'AzureEmulatorOptions', 'docs/test/provider-emulators.md', 'Azure'],
  [
    'testing/server/emulated-provider.ts',
    'ProviderEmulatorOptions',
    'docs/test/provider-emulators.md',
    'What all have',
  ],
  [
    'testing/server/emulated-provider.ts',
    'EmulatedProvider',
    'docs/test/provider-emulators.md',
    'What all have',
  ],
  ['testing/twilio/emulator.ts', 'TwilioEmulatorOptions', 'docs/test/emulators.md', 'Twilio emulator'],
] as const;

/** The properties of an exported type. */
function propertiesOf(file: string, type: string): readonly string[] {
  const source = readFileSync(join(ROOT, 'lib', file), 'utf8');
  const [, body = ''] =
    new RegExp(`^(?:export )?(?:interface|type) ${type}\\b(.*?)^\\};?$`, 'ms').exec(source) ?? [];
  return [...body.matchAll(/^ +(?:readonly (\w+)\??:|(\w+)\()/gm)].map(
    ([, name, method]) => name ?? method ?? '',
  );
}

describe('the guides explain', () => {
  it('every option of the hook once, with its default', () => {
    const options = optionsOf(optionRules().describe());
    expect(options).to.have.length.above(50);
    const counts = options.map(({ path }) => `${path} ${textsOf(path).length}`);
    expect(counts).to.deep.equal(options.map(({ path }) => `${path} 1`));
    const withoutDefault = options.filter(
      ({ path, default: value }) =>
        (typeof value === 'number' || typeof value === 'string') &&
        // The words of replies are too long for a guide.
        !path.startsWith('inbound.replies') &&
        !textsOf(path).join().includes(String(value)),
    );
    expect(withoutDefault).to.deep.equal([]);
  });

  it('each option of the hook in options.md under its own heading, with type and default', () => {
    const headings = [...pageAt('docs/reference/options.md').matchAll(/^## `([\w.]+)`\n\n(.*)$/gm)];
    const names = Object.keys((optionRules().describe() as Rule).keys ?? {});
    expect(names).to.have.length.above(20);
    // Some have a heading for each part, such as `senders.sms`.
    expect([...new Set(headings.map(([, name = '']) => name.split('.')[0]))]).to.have.members(names);
    const without = headings.filter(([, , line = '']) => !/^Type: .+\. (Default: .+|Required)\.$/.test(line));
    expect(without.map(([, name]) => name)).to.deep.equal([]);
  });

  it('every environment variable that sets an option', () => {
    const guide = pageAt('docs/reference/environment.md');
    expect(OPTION_VARIABLES.filter((name) => !guide.includes(`\`${name}\``))).to.deep.equal([]);
  });

  it('every option of the channels, of Redis, the console and the emulators', () => {
    for (const [file, type, page, heading] of FURTHER_OPTIONS) {
      const properties = propertiesOf(file, type);
      expect(properties, type).to.have.length.above(0);
      const section = sectionOf(page, heading);
      const missing = properties.filter((name) => !new RegExp(`\\b${name}\\b`).test(section));
      expect(missing, type).to.deep.equal([]);
    }
  });

  it('every event once', () => {
    expect(EVENT_TYPES).to.have.length.above(25);
    const headings = anchorsOf('docs/reference/events.md');
    const counts = EVENT_TYPES.map(
      (type) => `${type} ${headings.filter((heading) => heading === type.replace('.', '')).length}`,
    );
    expect(counts).to.deep.equal(EVENT_TYPES.map((type) => `${type} 1`));
  });

  it('every command once', () => {
    const headings = ENTRIES.filter(({ page }) => page === 'docs/reference/cli.md').map(({ head }) =>
      head.replaceAll('`', ''),
    );
    const counts = COMMANDS.map(
      ({ name }) => `${name} ${headings.filter((text) => text.endsWith(name)).length}`,
    );
    expect(counts).to.deep.equal(COMMANDS.map(({ name }) => `${name} 1`));
  });

  it('how much the memory state keeps', () => {
    const bounds = [
      ['delivery/local-claims.ts', 'MAX_EVENTS', 'Events'],
      ['state/memory/memory-state.ts', 'MAX_MESSAGES', 'Late failover'],
      ['state/memory/memory-state.ts', 'MAX_WINDOWS', 'Limits'],
      ['delivery/order.ts', 'MAX_PEOPLE', 'Order of codes, and used codes'],
      ['state/memory/memory-state.ts', 'MAX_RECIPIENTS', 'STOP'],
    ] as const;
    const section = sectionOf('docs/run/several-gateways.md', 'Without Redis');
    for (const [file, name, item] of bounds) {
      const source = readFileSync(join(ROOT, 'lib', file), 'utf8');
      const bound = new RegExp(`^(?:export )?const ${name} = ([\\d_]+);`, 'm')
        .exec(source)?.[1]
        ?.replaceAll('_', '');
      const text = new RegExp(`^- \\*\\*${item}\\*\\*: (.*)$`, 'm').exec(section)?.[1] ?? '';
      expect(/newest ([\d,]+)/.exec(text)?.[1]?.replaceAll(',', ''), item).to.equal(bound);
    }
  });

  it('how to rotate every secret of the environment', () => {
    const guide = pageAt('docs/run/rotate-secrets.md');
    const secrets = variablesWhere(({ secretsIn }) => secretsIn !== undefined);
    expect(secrets.filter((name) => !guide.includes(`\`${name}`))).to.deep.equal([]);
  });
});
