import { expect } from 'chai';
import { EVENT_TYPES } from '#lib/events/describe-event.js';
import { VARIABLES } from '#lib/options/variables.js';
import { FAILED_STATUSES } from '#lib/channels/twilio/outcome.js';
import { ERRORS, VERIFY_ERRORS } from '#lib/channels/twilio/error-codes.js';
import { pageAt, proseAt, sectionOf as sectionIn } from './docs/pages.js';
import { remediesBesideCodes, wordsInCapitals } from './docs/own-codes.js';

const symptoms = proseAt('docs/run/troubleshooting.md');
const PROVIDERS = 'docs/reference/provider-codes.md';
const codes = pageAt('docs/reference/codes.md') + pageAt(PROVIDERS);

/** Words in capitals in the sources that are no codes of this package, by their origin. */
const NOT_OURS: Readonly<Record<string, readonly string[]>> = {
  'variables of a shell': ['VISUAL', 'EDITOR', 'PORT'],
  'of HTTP': ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  'names of channels': ['RCS'],
  "Okta's": [
    ...['ACTIVE', 'INACTIVE', 'VERIFIED', 'UNVERIFIED', 'SUCCESS', 'SUCCESSFUL', 'ERROR', 'PENDING'],
    ...['HTTP', 'HEADER', 'OAUTH', 'EVENT_TYPE', 'SMS', 'SMS_FACTOR', 'CALL_FACTOR'],
    ...['NONE', 'SELF', 'OKTA', 'READ_WRITE', 'READ_ONLY', 'TELESIGN'],
    ...['READ_ONLY_ADMIN', 'REPORT_ADMIN', 'CUSTOM'],
  ],
  'names of providers': [
    'TWILIO',
    'TWILIO_VERIFY',
    'LINE',
    'VONAGE',
    'RELAY',
    'AZURE',
    'META',
    'GUARD',
    'UNKNOWN',
  ],
  'kinds of numbers': ['PREMIUM_RATE', 'SHARED_COST', 'PERSONAL_NUMBER', 'PAGER'],
  'statuses of registrations at Twilio': ['TWILIO_APPROVED'],
  'of libphonenumber-js': ['INVALID_COUNTRY'],
  'of keys and tokens': ['ES256', 'ES384', 'ES512', 'HS256', 'RS256', 'RS384', 'RS512', 'RSA', 'JWT'],
  "Node's": [
    'ERR_PARSE_ARGS_INVALID_OPTION_VALUE',
    'ERR_PARSE_ARGS_UNKNOWN_OPTION',
    'NFKC',
    'SIGHUP',
    'SIGINT',
    'SIGQUIT',
    'SIGTERM',
    'EADDRINUSE',
    'EAGAIN',
    'EPIPE',
  ],
  "Redis's": ['COUNT'],
  "WhatsApp's": ['AUTHENTICATION', 'APPROVED'],
  'parts of a health status at Meta': ['WABA', 'PHONE_NUMBER', 'BUSINESS', 'APP', 'BLOCKED'],
  "AWS's": ['AWS', 'TRANSACTIONAL', 'TEXT_DELIVERED', 'RECEIVED'],
  'internal states of a number': ['STARTED', 'LIFTED', 'PAIRED'],
  'of connections, if Node has no code': ['TLS', 'CERT'],
  'variables of other programs': ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NODE_TLS_REJECT_UNAUTHORIZED'],
  'of a terminal': ['NO_COLOR'],
};

const sectionOf = (heading: string): string => sectionIn('docs/reference/codes.md', heading);

/** The code, the meaning and the remedy of each item of a list that begins with a code. */
function itemsOf(section: string): (readonly string[])[] {
  return [...section.matchAll(/^- (`[A-Z][^:]*): (.*)\n {2}- (.*)$/gm)].map(([, ...cells]) => cells);
}

/** The cells of each row that begins with a code. */
function rowsOf(section: string): (readonly string[])[] {
  return section
    .split('\n')
    .filter((line) => /^\| `[A-Z]/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

const codeIn = (cell: string): string => /`(\w+)`/.exec(cell)?.[1] ?? '';
const ours = itemsOf(sectionOf('Our codes'));
const redis = rowsOf(sectionOf('Redis')).map(([cell = '']) => codeIn(cell));
const listed = ours.map(([cell = '']) => codeIn(cell));

describe('the guides to codes and to troubleshooting', () => {
  it("has a row for each number in the sources' tables of Twilio, and for no other", () => {
    const numbers = (subjects: Readonly<Record<string, object>>): string[] =>
      Object.values(subjects).flatMap((codes) => Object.keys(codes));
    const rows = (heading: string): string[] =>
      [...sectionIn(PROVIDERS, heading).matchAll(/^\| \[(\d+)\]/gm)].map(([, number = '']) => number);
    expect(rows('Twilio')).to.deep.equal(numbers(ERRORS));
    expect(rows('Twilio Verify')).to.deep.equal(numbers(VERIFY_ERRORS));
  });

  it('lists every code of this package that is in the sources', () => {
    const known = new Set([
      ...listed,
      ...redis,
      ...Object.keys(VARIABLES),
      ...Object.values(NOT_OURS).flat(),
    ]);
    const missing = [...wordsInCapitals()].filter((word) => !known.has(word));
    expect(missing, 'give it a row, or name it in NOT_OURS above').to.deep.equal([]);
  });

  it('lists no code that is not in the sources, and no code twice', () => {
    const words = wordsInCapitals();
    const made = [...FAILED_STATUSES].map((status) => status.toUpperCase());
    expect(listed.filter((code) => !words.has(code) && !made.includes(code))).to.deep.equal(['HTTP_400']);
    expect(made.filter((code) => !listed.includes(code))).to.deep.equal([]);
    expect(listed.filter((code, at) => listed.indexOf(code) !== at)).to.deep.equal([]);
    const gone = Object.values(NOT_OURS)
      .flat()
      .filter((word) => !words.has(word));
    expect(gone, 'no longer in the sources').to.deep.equal([]);
  });

  it('has the same remedy for a code as the sources', () => {
    const beside = remediesBesideCodes();
    const codes = new Set(beside.map(({ code }) => code));
    expect(codes.size).to.be.above(20);
    for (const code of codes) {
      const found = beside.filter((one) => one.code === code);
      const cells = ours.find(([cell = '']) => codeIn(cell) === code);
      const remedy = (cells?.at(-1) ?? '').replaceAll('`', '');
      expect(
        found.some((one) => remedy.includes(one.remedy.replaceAll('`', ''))),
        `${code}: “${remedy}” is none of ${found.map((one) => one.remedy).join(' / ')}`,
      ).to.equal(true);
    }
  });

  it('says for each code and symptom what to do', () => {
    const codesOfOurs = sectionOf('Our codes').match(/^- /gm) ?? [];
    expect(ours).to.have.length(codesOfOurs.length);
    const empty = `${symptoms}\n${codes}`
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .filter((line) => /\|\s*\|$/.test(line));
    expect(empty).to.deep.equal([]);
  });

  it('names only codes, variables and events that exist in the symptoms', () => {
    const inCode = [...symptoms.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
    const known = new Set([
      ...listed,
      ...redis,
      ...Object.keys(VARIABLES),
      ...Object.values(NOT_OURS).flat(),
    ]);
    const words = inCode
      .flatMap((text) => /^(?:\w+: \["\w+:)?([A-Z][A-Z_]{3,})\b/.exec(text)?.[1] ?? [])
      .filter((word) => !['START', 'STOP'].includes(word));
    expect(words.filter((word) => !known.has(word))).to.deep.equal([]);
    const numbers = inCode.filter((text) => /^\d{5}$/.test(text));
    expect(numbers).to.have.length.above(5);
    expect(numbers.filter((number) => !codes.includes(`| [${number}](`))).to.deep.equal([]);

    const families = new Set(EVENT_TYPES.map((type) => type.split('.')[0]));
    const options = ['guard.countries', 'guard.mode', 'guard.answer'];
    const events = inCode
      .filter((text) => /^[a-z]+\.[a-z]+$/.test(text) && families.has(text.split('.')[0]))
      .filter((text) => !options.includes(text));
    expect(events).to.have.length.above(20);
    expect(events.filter((event) => !EVENT_TYPES.includes(event))).to.deep.equal([]);
  });
});
