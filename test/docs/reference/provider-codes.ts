import { ERRORS as AWS_ERRORS } from '#lib/channels/aws/error-codes.js';
import {
  describeFailure as describeAzureFailure,
  describeRefusal as describeAzure,
  ERRORS as AZURE_ERRORS,
} from '#lib/channels/azure/error-codes.js';
import { describeRefusal as describeLine } from '#lib/channels/line/error-codes.js';
import { describeFailure as describeMeta, ERRORS as META_ERRORS } from '#lib/channels/meta/error-codes.js';
import {
  CALL_FAILURES as VONAGE_CALLS,
  describeCallFailure as describeVonageCall,
  describeFailure as describeVonageFailure,
  describeRefusal as describeVonage,
  ERRORS as VONAGE_ERRORS,
  MESSAGE_FAILURES as VONAGE_MESSAGES,
} from '#lib/channels/vonage/error-codes.js';
import { withEffect, type MoveOn } from '#lib/core/channel.js';
import { REMEDIES, RedisFailure } from '#lib/state/redis/failure.js';
import { describeFailure } from '#lib/channels/relay/error-codes.js';
import { describeRefusal as describeTwilio } from '#lib/channels/twilio/outcome.js';
import { ERRORS as TWILIO_ERRORS, VERIFY_ERRORS } from '#lib/channels/twilio/error-codes.js';

/** The page of the providers' codes, from the tables that the channels use, and the table of Redis's reasons. */

/** The meaning of a code, of any vendor. */
interface Meaning {
  readonly reason: string;
  readonly remedy?: string | undefined;
  readonly moveOn?: MoveOn | undefined;
  readonly isFraudBlock?: boolean | undefined;
}

/** The codes of each subject. */
type Subjects = Readonly<Record<string, object>>;

export function providerCodesPage(): string {
  return `# Provider codes

Look up the \`code\` of an attempt here. [Codes](codes.md) has the codes of the middleware itself.

The column _then_ says what the middleware tries after the code:

- _the next_: the next attempt of the plan
- _another channel_, _another provider_: only such an attempt
- _nothing to this number_, _nothing, as after the guard_: no attempt follows

The same applies to late failover, if the code comes with a callback.

## Twilio

Each code links to Twilio's page about it.

${twilioTables(TWILIO_ERRORS)}

## Twilio Verify

${twilioTables(VERIFY_ERRORS)}

## Vonage

${tables(VONAGE_ERRORS, vonageMeaning, (code) => `\`${code}\``)}

${tables({ 'Status webhooks without an error': VONAGE_MESSAGES }, vonageFailure, (code) => `\`${code}\``)}

${tables({ 'Events of calls': VONAGE_CALLS }, vonageCallFailure, (code) => `\`${code}\``)}

A Vonage error without one of these codes has its status as code, such as \`HTTP_422\`.

## AWS

A code is the \`Reason\` of AWS's exception, else the exception's name. \`INVALID_DESTINATION_PHONE_NUMBER\` is the hook's own code for a \`ValidationException\` about this field.

${awsTables()}

An AWS error without one of these codes has its status as code, such as \`HTTP_400\`.

## Azure

${tables(AZURE_ERRORS, azureMeaning, (code) => `\`${code}\``)}

A failure that Azure reports without one of these codes is \`FAILED\`.

## Meta

Meta's codes of the WhatsApp Cloud API come in the response to a send, by the webhook, or both.

${tables(META_ERRORS, metaMeaning, (code) => `\`${code}\``)}

201 to 299 mean the same as 200. After 1, 131000 and 135000 in the response to a send, the outcome is unknown, unless Meta says that the error is not transient. A Meta error without a number has its status as code, such as \`HTTP_400\`; without one by the webhook, the code is \`FAILED\`.

## LINE

LINE has no codes. The code is the status, and for two of them also LINE's sentence.

${lineTable()}

## Relay

Another telephony hook has no codes either. Another status has the meaning of \`RELAY_ERROR\`.

${relayTable()}
`;
}

/** The page of the middleware's own codes, with the table of Redis's reasons made again. */
export function codesPage(kept: string): string {
  return kept.replace(
    /(<!-- made: redis -->\n).*?(<!-- end -->)/s,
    (_whole, begin: string, end: string) => `${begin}\n${redisTable()}\n${end}`,
  );
}

function twilioTables(subjects: Subjects): string {
  return tables(
    subjects,
    (code) => describeTwilio(Number(code), 400),
    (code) => `[${code}](https://www.twilio.com/docs/api/errors/${code})`,
  );
}

function tables(
  subjects: Subjects,
  meaningOf: (code: string) => Meaning,
  link: (code: string) => string,
): string {
  return Object.entries(subjects)
    .map(([title, codes]) =>
      [`**${title}**`, '', HEAD, ...Object.keys(codes).map((code) => row(link(code), meaningOf(code)))].join(
        '\n',
      ),
    )
    .join('\n\n');
}

const HEAD = '| code | meaning | then | remedy |\n| --- | --- | --- | --- |';

function row(code: string, meaning: Meaning): string {
  const { reason, remedy = '–' } = meaning;
  return `| ${[code, reason, followedBy(meaning), remedy].map(cell).join(' | ')} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** Which channel or provider the hook tries next. */
function followedBy({ moveOn = true, isFraudBlock = false }: Meaning): string {
  if (isFraudBlock) return 'nothing, as after the guard';
  switch (moveOn) {
    case true:
      return 'the next';
    case false:
      return 'nothing to this number';
    case 'other-channel':
      return 'another channel';
    case 'other-provider':
      return 'another provider';
  }
}

const azureMeaning = (code: string): Meaning =>
  /^\d/.test(code) ? describeAzureFailure(code) : describeAzure(code);

function vonageMeaning(code: string): Meaning {
  const title = code.toLowerCase().replaceAll('_', '-');
  const answer = { kind: 'answered', status: 422, headers: {}, body: '', json: { title } } as const;
  const described = describeVonage(answer);
  if (described.code !== code) throw new Error(`the title of ${code} does not lead to its row in the table`);
  return described;
}

const vonageFailure = (code: string): Meaning =>
  describeVonageFailure(code === 'REJECTED' ? 'rejected' : 'undeliverable', {});

const vonageCallFailure = (code: string): Meaning =>
  describeVonageCall(code === 'REJECTED' ? 'rejected' : 'failed', code);
const metaMeaning = (code: string): Meaning => describeMeta([{ code: Number(code) }]);

const awsTables = (): string => tables(AWS_ERRORS, awsMeaning, (code) => `\`${code}\``);

function awsMeaning(code: string): Meaning {
  const meaning = Object.values(AWS_ERRORS).find((codes) => code in codes)?.[code];
  if (meaning === undefined) throw new Error(`${code} is not in the table`);
  return withEffect(meaning);
}

function relayTable(): string {
  const rows = (['error', 'failed', 401, 403] as const).map((answer) => {
    const failure = describeFailure(answer, true);
    if (failure.status !== 'refused') throw new Error('a trusted failure is not refused');
    return row(`\`${failure.code}\``, failure);
  });
  return [HEAD, ...rows].join('\n');
}

/** LINE has no codes: the rows have the status and, if it matters, the sentence of the answer. */
function lineTable(): string {
  const answers: readonly (readonly [status: number, sentence: string])[] = [
    [400, ''],
    [400, 'Failed to send messages'],
    [401, ''],
    [403, ''],
    [429, ''],
    [429, 'monthly limit'],
    [503, ''],
  ];
  const rows = answers.map(([status, sentence]) => {
    const { code, ...meaning } = describeLine(status, sentence);
    return row(`\`${code}\`${sentence === '' ? '' : `, “${sentence}”`}`, meaning);
  });
  return [HEAD, ...rows].join('\n');
}

function redisTable(): string {
  const rows = [...Object.keys(REMEDIES), 'CLOSED', 'FAILED', 'REFUSED', 'TIMEOUT'].map(
    (word) => `| \`${word}\` | ${cell(new RedisFailure(word, false).remedy)} |`,
  );
  return ['| reason | remedy |', '| --- | --- |', ...rows].join('\n');
}
