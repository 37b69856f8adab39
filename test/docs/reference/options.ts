import type TS from 'typescript';
import { optionRules } from '#lib/options/schema.js';
import { ts } from '#harness/typescript.js';
import { membersOf, Sources, textOfType, type Member } from './tsdoc.js';

/** The page of the options: what TSDoc says of each, with the ranges and defaults of joi's rules. */

const sources = new Sources('options/options.ts', 'options/credential-types.ts', 'core/option-types.ts');

/** These have a heading for each part, because each part is an option of its own. */
const DIVIDED = ['credentials', 'senders', 'profile'];

/** Where a guide says more. */
const GUIDES: Readonly<Record<string, readonly [title: string, page: string]>> = {
  'credentials.hook': ['Rotate secrets', 'run/rotate-secrets.md'],
  'credentials.eventHook': ['Used codes', 'deliver/used-codes.md'],
  publicUrl: ['Late failover', 'deliver/late-failover.md'],
  'senders.whatsapp': ['Language', 'deliver/texts.md#language'],
  path: ['Mount path', 'start/mount.md#mount-path'],
  chooseChannels: ['Which channel', 'deliver/channels.md#which-channel'],
  texts: ['Texts and languages', 'deliver/texts.md'],
  channels: ['Channels beyond Twilio', 'deliver/channels.md#channels-beyond-twilio'],
  guard: ['Limits', 'deliver/limits.md'],
  rollout: ['Rolling a channel out', 'deliver/channels.md#rolling-a-channel-out'],
  lateFailover: ['Late failover', 'deliver/late-failover.md'],
  resend: ['When a user requests a code again', 'deliver/resend.md'],
  inbound: ['When a user writes STOP', 'deliver/stop.md'],
  state: ['Several gateways', 'run/several-gateways.md'],
  logger: ['The log', 'run/monitor.md#the-log'],
  metrics: ['Monitor', 'run/monitor.md'],
};

/** joi's description of a rule, as far as the page shows it. */
interface Rule {
  readonly flags?: { readonly default?: unknown };
  readonly keys?: Readonly<Record<string, Rule>>;
  readonly rules?: readonly { readonly name: string; readonly args?: { readonly limit?: number } }[];
}

export function optionsPage(): string {
  const rules = (optionRules().describe() as Rule).keys ?? {};
  const options = sources.membersOf('OktaTelephonyHookOptions').flatMap((member) => {
    const rule = rules[member.name];
    if (!DIVIDED.includes(member.name)) return [{ path: member.name, member, rule }];
    return innerOf(member.type).flatMap(({ members }) =>
      members.map((part) => ({
        path: `${member.name}.${part.name}`,
        member: part,
        rule: rule?.keys?.[part.name],
      })),
    );
  });
  return `# Options

Read this page when you configure the middleware. [Environment variables](environment.md) can make the options, too.

\`\`\`ts
import { oktaTelephonyHook } from 'okta-telephony-hook';

const hook = oktaTelephonyHook({
  credentials: {
    hook: { scheme: 'header', secrets: ['the whole header value, as entered in Okta'] },
    okta: { orgUrl: 'https://acme.okta.com', apiToken: '00…' },
    twilio: { accountSid: 'AC…', apiKeySid: 'SK…', apiKeySecret: '…' },
  },
  senders: { sms: '+14155550100', voice: '+14155550100' },
  guard: { countries: { allow: ['US', 'CA'] } },
});
\`\`\`

- \`credentials.hook\`, \`credentials.okta\` and one sender are required. A sender is one of \`senders\`, \`sandboxNumber\` or \`channels\`.
- \`undefined\` means the default.
- Wrong options throw one \`ConfigurationError\`. Its \`problems\` names every problem with its remedy. It shows no value, except a URL that lacks its scheme. Its \`issues\` has the same as \`{ option, message }\`.
- An option that works, but may be a mistake, has a [start-up warning](warnings.md).
- The options are copied. A later change of the object has no effect.

${options.map(({ path, member, rule }) => section(path, member, rule)).join('\n\n')}
`;
}

function section(path: string, member: Member, rule: Rule | undefined): string {
  const { text, standard } = splitDefault(member.doc);
  const fallback = standard ?? shownDefault(rule);
  const ends = member.isOptional ? `Default: ${fallback ?? 'none'}.` : 'Required.';
  const inner = partsOf(member.type, rule, '');
  const range = rangeOf(rule, member.doc);
  const guide = GUIDES[path];
  const more = guide === undefined ? '' : `See [${guide[0]}](../${guide[1]}).`;
  const body = [`Type: ${typeWords(member.type)}. ${ends}`, text + range, inner, more].filter(
    (part) => part !== '',
  );
  return `## \`${path}\`\n\n${body.join('\n\n')}`;
}

/** The parts of an option that is an object: one list for each form that it may have. */
function partsOf(type: TS.TypeNode | undefined, rule: Rule | undefined, indent: string): string {
  const forms = innerOf(type);
  return forms
    .map(({ members, doc }) => {
      const shown = members.filter((member) => textOfType(member.type ?? NEVER) !== 'undefined');
      if (forms.length === 1)
        return shown.map((member) => item(member, rule?.keys?.[member.name], indent)).join('\n');
      const names = shown.map((member) => member.name + (member.isOptional ? '?' : '')).join(', ');
      const head = `${indent}- \`{ ${names} }\`${doc === '' ? '' : `: ${doc}`}`;
      return [head, ...shown.map((member) => item(member, rule?.keys?.[member.name], `${indent}  `))].join(
        '\n',
      );
    })
    .join('\n');
}

const NEVER = ts.factory.createKeywordTypeNode(ts.SyntaxKind.NeverKeyword);

function item(member: Member, rule: Rule | undefined, indent: string): string {
  const { text, standard } = splitDefault(member.doc);
  const fallback = standard ?? shownDefault(rule);
  const notes = [
    typeWords(member.type),
    ...(member.isOptional ? [`default: ${fallback ?? 'none'}`] : ['required']),
  ].join(', ');
  const inner = partsOf(member.type, rule, `${indent}  `);
  const head = `${indent}- \`${member.name}\` (${notes}): ${text}${rangeOf(rule, member.doc)}`;
  return inner === '' ? head : `${head}\n${inner}`;
}

/** The default that the TSDoc names, and the rest of it. */
function splitDefault(doc: string): { readonly text: string; readonly standard: string | undefined } {
  const found = /(?:^|(?<=[.:)] ))Default:? ((?:`[^`]*`|[^.`])+)\.(?: |$)/.exec(doc);
  if (found === null) return { text: doc, standard: undefined };
  const text = `${doc.slice(0, found.index)}${doc.slice(found.index + found[0].length)}`.trim();
  return { text, standard: found[1] };
}

function shownDefault(rule: Rule | undefined): string | undefined {
  const value = rule?.flags?.default;
  return typeof value === 'string' || typeof value === 'number' ? `\`${JSON.stringify(value)}\`` : undefined;
}

/** The range of a number, unless the TSDoc says it already. */
function rangeOf(rule: Rule | undefined, doc: string): string {
  const limitOf = (name: string): string | undefined =>
    rule?.rules?.find((one) => one.name === name)?.args?.limit?.toLocaleString('en-US');
  const [min, max] = [limitOf('min'), limitOf('max')];
  if (min === undefined || max === undefined) return '';
  const plain = doc.replaceAll(',', '');
  return plain.includes(`${min.replaceAll(',', '')} to ${max.replaceAll(',', '')}`)
    ? ''
    : ` ${min} to ${max}.`;
}

interface Form {
  readonly members: readonly Member[];
  /** What the form is about. */
  readonly doc: string;
}

/** The forms of an object type: more than one if it is a union of objects. */
function innerOf(type: TS.TypeNode | undefined): readonly Form[] {
  if (type === undefined) return [];
  if (ts.isParenthesizedTypeNode(type)) return innerOf(type.type);
  if (ts.isTypeOperatorNode(type)) return innerOf(type.type);
  if (ts.isArrayTypeNode(type)) return innerOf(type.elementType);
  if (ts.isUnionTypeNode(type)) {
    const forms = type.types.flatMap((one) => innerOf(one));
    // `X | X[]` has the forms of X once.
    return forms.filter((form, at) => forms.findIndex((one) => sameNames(one, form)) === at);
  }
  if (ts.isIntersectionTypeNode(type)) {
    const members = type.types.flatMap((one) => innerOf(one).flatMap((form) => form.members));
    return members.length === 0 ? [] : [{ members, doc: '' }];
  }
  if (ts.isTypeLiteralNode(type)) return [{ members: membersOf(type), doc: '' }];
  if (!ts.isTypeReferenceNode(type)) return [];
  const found = sources.find(type.typeName.getText());
  if (found === undefined) return [];
  return ts.isInterfaceDeclaration(found) ? [{ members: membersOf(found), doc: '' }] : innerOf(found.type);
}

const namesOf = ({ members }: Form): string =>
  members.map(({ name, type }) => name + (type && ts.isLiteralTypeNode(type) ? type.getText() : '')).join();
const sameNames = (one: Form, other: Form): boolean => namesOf(one) === namesOf(other);

/** A type in words. */
function typeWords(type: TS.TypeNode | undefined): string {
  if (type === undefined) return 'function';
  if (ts.isParenthesizedTypeNode(type)) return typeWords(type.type);
  if (ts.isTypeOperatorNode(type)) return typeWords(type.type);
  if (ts.isArrayTypeNode(type)) return `array of ${typeWords(type.elementType)}s`;
  if (ts.isTupleTypeNode(type)) return 'array';
  if (ts.isUnionTypeNode(type)) {
    const words = type.types.map((one) => typeWords(one)).filter((word) => word !== '');
    const [first = ''] = words;
    return [...new Set(words)].join(' or ').replace(`array of ${first}s`, 'an array of them');
  }
  if (ts.isFunctionTypeNode(type)) return 'function';
  if (ts.isTypeLiteralNode(type) || ts.isIntersectionTypeNode(type)) return 'object';
  if (type.kind === ts.SyntaxKind.UndefinedKeyword) return '';
  const text = textOfType(type);
  if (ts.isLiteralTypeNode(type)) return text === 'false' ? '`false`' : `\`${text}\``;
  // The credentials of the event hook: those of the inline hook, without OAuth.
  if (text.startsWith('Exclude<')) return 'object';
  if (text.startsWith('Record<')) return 'object by name';
  if (text.startsWith('Readonly<Record<')) return 'object by name';
  if (!ts.isTypeReferenceNode(type)) return text;
  const found = sources.find(text);
  if (found === undefined) return `\`${text}\``;
  return ts.isInterfaceDeclaration(found) ? 'object' : typeWords(found.type);
}
