import type TS from 'typescript';
import { ts } from '#harness/typescript.js';
import { membersOf, Sources, textOfType, type Member } from './tsdoc.js';

/** The page of the events, from the TSDoc of `HookEventFields` and of the types that it is made of. */

/** The types whose fields several events share, in the order of the page, with a title for each. */
const SHARED = {
  OfCall: 'The call',
  OfUser: 'The user',
  OfRequest: 'The request',
  OfTest: 'The test',
  CodeResult: 'The result',
  AttemptReport: 'An attempt',
  SkippedChannel: 'A skipped channel',
  OfOptIn: 'The opt-in',
  OfProviders: 'Providers by country',
  OfResend: 'The resend',
  OfGuard: 'The guard',
  BrokenRule: 'A broken rule',
  SentMessage: 'The message',
  FailureCause: 'A cause',
  Failure: 'A failure',
  Problem: 'A problem',
  Counted: 'A count',
  OptionWarning: 'An option',
} as const;

const sources = new Sources('core/events.ts', 'core/event-parts.ts');

export function eventsPage(): string {
  const events = sources.membersOf('HookEventFields').map(({ name, doc, type }) => {
    const { groups, own } = fieldsOf(type);
    const shared = groups.length === 0 ? '' : `Has the fields of ${groups.join(', ')}.\n\n`;
    return `### \`${name}\`\n\n${doc}\n\n${shared}${list(own)}`;
  });
  const shared = Object.entries(SHARED).map(([name, title]) => {
    const { groups } = fieldsOf(undefined, name);
    const more = groups.length === 0 ? '' : `Also has the fields of ${groups.join(', ')}.\n\n`;
    const doc = sources.docOf(name);
    return `### ${title}\n\n${doc === '' ? '' : `${doc}\n\n`}${more}${list(sources.membersOf(name))}`;
  });
  return `# Events

[\`onEvent\`](options.md#onevent) gets one event for each step. The log, the metrics and the [console](../run/console.md) get the same events. The type \`HookEventFields\` has them in TypeScript.

\`\`\`ts
import type { HookEvent, HookEventOf } from 'okta-telephony-hook';

type Answered = HookEventOf<'request.answered'>; // the events of one type
const count = ({ outcome, channel }: Answered) => console.log(outcome, channel);
export const onEvent = (event: HookEvent) => {
  if (event.type === 'request.answered') count(event);
};
\`\`\`

- Each event has \`type\`, its name, and \`at\`, its time in milliseconds since 1970.
- No event has a code, a login, a name of a user, a secret or a whole number.
- A minor version may add events and fields. Ignore those that you do not know.
- [The log](../run/monitor.md#the-log) says which events write a line.

## Every event

They stand in the order in which a call usually emits them.

${events.join('\n\n')}

## Shared fields

Several events have these fields.

${shared.join('\n\n')}
`;
}

/** The fields of an event: links to the groups that it shares, and its own ones. */
function fieldsOf(
  type: TS.TypeNode | undefined,
  name = '',
): { readonly groups: readonly string[]; readonly own: readonly Member[] } {
  const found = sources.find(name);
  const bases =
    found !== undefined && ts.isInterfaceDeclaration(found)
      ? (found.heritageClauses ?? []).flatMap(({ types }) =>
          types.map(({ expression }) => expression.getText()),
        )
      : [];
  const parts: readonly TS.TypeNode[] =
    type === undefined ? [] : ts.isIntersectionTypeNode(type) ? type.types : [type];
  const named = parts.filter(ts.isTypeReferenceNode).map((part) => {
    const isPartial = part.typeName.getText() === 'Partial';
    const inner = isPartial ? part.typeArguments?.[0] : part;
    return { group: inner?.getText() ?? '', isPartial };
  });
  return {
    groups: [
      ...bases.map((base) => linkTo(base)),
      ...named.map(({ group, isPartial }) => linkTo(group) + (isPartial ? ' (if they are known)' : '')),
    ],
    own: parts.filter(ts.isTypeLiteralNode).flatMap((part) => membersOf(part)),
  };
}

function linkTo(group: string): string {
  const title = SHARED[group as keyof typeof SHARED] as string | undefined;
  if (title === undefined) throw new Error(`give ${group} a title in SHARED`);
  return `[${title.toLowerCase()}](#${title.toLowerCase().replaceAll(' ', '-')})`;
}

/** The members of an inner object stand below it. */
function list(members: readonly Member[], indent = ''): string {
  return members
    .map(({ name, doc, type: written }) => {
      if (written === undefined || doc === '')
        throw new Error(`the field ${name} needs a type and a comment`);
      const type = resolve(written);
      const inner = ts.isTypeLiteralNode(type) ? membersOf(type) : [];
      if (inner.length > 0) return `${indent}- \`${name}\`: ${doc}\n${list(inner, `${indent}  `)}`;
      const shown = typeText(type);
      // The names of all options that may have a warning would fill a paragraph.
      return `${indent}- \`${name}\`${shown.length > 150 ? '' : ` (${shown})`}: ${doc}`;
    })
    .join('\n');
}

/** The type behind a name for words, or behind a field of another event. */
function resolve(type: TS.TypeNode): TS.TypeNode {
  if (ts.isTypeReferenceNode(type)) {
    const found = sources.find(type.typeName.getText());
    return found !== undefined && ts.isTypeAliasDeclaration(found) ? found.type : type;
  }
  const [, event, field] = /^HookEventFields\['([\w.]+)'\]\['(\w+)'\]/.exec(type.getText()) ?? [];
  if (event === undefined) return type;
  const fields = fieldsOf(sources.membersOf('HookEventFields').find(({ name }) => name === event)?.type).own;
  return fields.find(({ name }) => name === field)?.type ?? type;
}

function typeText(type: TS.TypeNode): string {
  const text = textOfType(type);
  const shared = Object.keys(SHARED).find((name) => text === name || text === `${name}[]`);
  if (shared !== undefined) return text.endsWith('[]') ? `list of ${linkTo(shared)}` : linkTo(shared);
  return `\`${text}\``;
}
