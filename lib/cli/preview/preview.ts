import type { HttpDispatcher } from '../../core/http.js';
import { createAgent } from '../../http/call.js';
import type { UserProfile } from '../../core/channel.js';
import { OktaApiError } from '../../core/errors.js';
import type { JsonObject } from '../../core/json.js';
import type { OptIn } from '../../core/events.js';
import { readOptIn } from '../../delivery/plan.js';
import { CORRECT_VALUES, describeOptIn } from '../../events/describe-answer.js';
import { DEFAULT_OPT_IN_ATTRIBUTE } from '../../options/options.js';
import { makeSampleCall, readSampleUser } from '../../console/sample-call.js';
import { confirm, flagOptions, printNextSteps, textOptions, YES_OPTION } from '../command.js';
import type { Command, CommandCall } from '../command.js';
import { CommandError, type ExitCode } from '../failure.js';
import { maskValue, secretsOfCall } from './masked-call.js';
import { CONNECT_TIMEOUT_MS, hookRole, INLINE_HOOK_SCOPES, USERS, withOrg, type Org } from '../org.js';
import { checkPayload, editPayload, readPayload } from './payload.js';
import { nextSteps, causesIn, isBlocked, showCall, showSent, maskResult } from './report.js';
import type { MaskedResult } from './report.js';
import { withoutCause, describeRoute, findOktaRoute, readGatewayRoute, sendBy } from './send.js';
import type { PreviewResult, Route } from './send.js';
import { readPreviewOptions, type PreviewOptions } from './options.js';
import type { Terminal } from '../terminal.js';

/** For remedies of failures before the hook is called. */
const AGAIN = 'nothing was sent';
/** Okta's first try ends after three seconds. */
const LONG_WAIT_MS = 3_000;

export const preview: Command = {
  name: 'preview',
  summary: 'makes a hook call as Okta would, for one of your users: a real message goes out',
  help: `Makes a call of the telephony hook for a user, with their enrolled phone and a made-up code. It shows the call, asks, sends it,
and prints the answer, what Okta does with it, and the time it took of Okta's three seconds.
A real message goes out to a real phone. Another run sends another message.

  --user <login>         the user: a login or a user id
  --request-type <kind>  mfa-verification (default), pre-enrollment, account-unlock, password-reset
  --channel <channel>    the channel that Okta requests: sms (default) or voice
  --phone <number>       use this number instead of the user's own: + and digits
  --via <route>          okta (default): Okta calls the hook, in up to two tries of three seconds, as its own preview does;
                         gateway: this machine calls PUBLIC_URL itself
  --hook <id>            the hook at Okta (default: the org's active telephony hook)
  --header <name>        the header with the secret, for --via gateway (Authorization)
  --edit                 edit the payload in VISUAL or EDITOR before it is sent. It is not masked: it shows number and code
  --payload <file>       send this payload with a new event id; - is standard input
  --print                print the payload and send nothing. It is not masked: it shows number and code
  -y, --yes              send without asking

Okta: a custom administrator role with okta.users.read and okta.inlinehooks.manage (or Super Administrator); a service app
also needs okta.users.read, okta.inlineHooks.read, okta.inlineHooks.manage. With --via gateway the role Read-Only
Administrator, and for a service app okta.users.read, is enough. That route needs PUBLIC_URL, and HOOK_SECRET or
the variables HOOK_OAUTH_… of a client with a secret; see setup hook.

  okta-telephony-hook preview --user ana@example.com
  okta-telephony-hook preview --user ana@example.com --channel voice --via gateway --yes --json
  okta-telephony-hook preview --user ana@example.com --print > call.json
  okta-telephony-hook preview --payload call.json --edit`,
  options: {
    ...textOptions('user', 'request-type', 'channel', 'phone', 'via', 'hook', 'header', 'payload'),
    ...flagOptions('edit', 'print'),
    ...YES_OPTION,
  },
  exitCodes:
    '0 Okta treats the code as sent or pending, or --print; 1 it does not, or nothing was sent, as after a block; 2 bad use',
  async run(call) {
    const { terminal } = call;
    const empty: PreviewReport = { command: 'preview', result: 'failed', notes: [], next: [] };
    const report = Object.assign(call.report, empty);
    const note = (text: string): void => {
      report.notes.push(text);
      terminal.note(`! ${text}`, 'yellow');
    };
    const options = readPreviewOptions(call.options);
    report.via = options.via;
    const exitCode = await runPreview({ call, options, report, note });
    if (!options.isPrinted || exitCode !== 0) terminal.json(report);
    return exitCode;
  },
};

/** The JSON of a preview. It is filled step by step, so that a failure also reports what was known before. */
interface PreviewReport extends Partial<MaskedResult> {
  readonly command: 'preview';
  /** Okta's reaction to the answer; `unknown` if Okta's API did not answer, so that a message may have gone out. */
  result: NonNullable<MaskedResult['reaction']>['action'] | 'unknown' | 'declined' | 'failed';
  via?: PreviewOptions['via'];
  org?: string;
  hook?: string;
  /** Masked. */
  payload?: unknown;
  /** What the profile of the user says. Only for a text. The gateway may have other channels, and another attribute. */
  optIn?: OptIn;
  optInAttribute?: string;
  /** Warnings about the call and its answer. */
  readonly notes: string[];
  readonly next: string[];
}

interface Run {
  readonly call: CommandCall;
  readonly options: PreviewOptions;
  readonly report: PreviewReport;
  readonly note: (text: string) => void;
}

async function runPreview(run: Run): Promise<ExitCode> {
  const { terminal, time, variables } = run.call;
  const { about, via, isPrinted } = run.options;
  const isByOkta = via === 'okta' && !isPrinted;
  const isOrgNeeded = 'user' in about || isByOkta;
  const credential = isOrgNeeded ? await variables.okta() : undefined;
  const openGateway = isByOkta || isPrinted ? undefined : await readGatewayRoute(run.call);
  const publicUrl = isByOkta ? variables.read('PUBLIC_URL') : undefined;
  const editor = variables.valueOf('VISUAL') ?? variables.valueOf('EDITOR');
  const optInAttribute = variables.read('OPT_IN_ATTRIBUTE') ?? DEFAULT_OPT_IN_ATTRIBUTE;
  variables.require();

  const goOn = async (dispatcher: HttpDispatcher, org?: Org): Promise<ExitCode> => {
    const { hookId } = run.options;
    const route = isByOkta
      ? await findOktaRoute(requireOrg(org), { hookId, publicUrl, note: run.note })
      : await openGateway?.(dispatcher);
    if (route?.via === 'okta') run.report.hook = route.hook.id;
    let payload: JsonObject | undefined = await makePayload(run, { org, optInAttribute });
    if (run.options.isEdited) payload = await editPayload(payload, { terminal, editor, nowMs: time.now() });
    if (payload === undefined) return decline(run);
    if (route !== undefined) return showAndSend(run, payload, route);
    // `--print`: unmasked, because the user asked for it.
    terminal.sayJson(payload);
    return 0;
  };

  if (credential === undefined) {
    const dispatcher = createAgent(CONNECT_TIMEOUT_MS);
    return goOn(dispatcher).finally(() => dispatcher.destroy());
  }
  const access = isByOkta
    ? {
        scopes: [...USERS.scopes, ...INLINE_HOOK_SCOPES],
        role: hookRole('okta.users.read and okta.inlinehooks.manage'),
        again: AGAIN,
      }
    : { ...USERS, again: AGAIN };
  return withOrg({ credential, access, terminal, time }, async (org) => {
    run.report.org = org.host;
    terminal.note(`Okta org ${org.host}`);
    return goOn(org.dispatcher, org);
  });
}

/** Only `--payload` works without an org, and it does not come here. */
function requireOrg(org: Org | undefined): Org {
  if (org === undefined) throw new TypeError('No org was opened.');
  return org;
}

async function makePayload(
  run: Run,
  { org: opened, optInAttribute }: { readonly org: Org | undefined; readonly optInAttribute: string },
): Promise<JsonObject> {
  const { call, options, report, note } = run;
  const { about } = options;
  const nowMs = call.time.now();
  if ('file' in about) return readPayload(about.file, call.terminal, nowMs);
  const org = requireOrg(opened);
  const okta = org.as(USERS.scopes);
  const get = (path: string): Promise<unknown> =>
    okta.get(path).catch((error: unknown) => {
      // Okta's own sentences quote the requested user.
      throw withoutCause(error);
    });
  const user = await readSampleUser(get, about.user).catch((error: unknown) => {
    if (!(error instanceof OktaApiError) || error.code !== 'OKTA_NOT_FOUND') throw error;
    throw new CommandError(
      'USER_NOT_FOUND',
      'The org has no such user, or these credentials may not read that user.',
      error.remedy ?? "Give the user's whole login or their id (00u…): Okta, Directory > People.",
    );
  });
  const sample = makeSampleCall(user, { ...about, orgUrl: org.url, hookId: report.hook, nowMs });
  for (const text of sample.notes) note(text);
  if (about.deliveryChannel === 'sms' && !options.isEdited) noteOptIn(user.profile, optInAttribute, run);
  return sample.payload;
}

/** The channels of the package that an attribute may name. */
const CHOSEN_CHANNELS = ['whatsapp', 'line'];

function noteOptIn(profile: UserProfile, attribute: string, { report, note }: Run): void {
  const { optIn } = readOptIn(profile, attribute, CHOSEN_CHANNELS);
  Object.assign(report, { optIn, optInAttribute: attribute });
  if (optIn === 'unusable')
    note(
      `The value of ${attribute} names no channel of this package: it counts only if the gateway has one of that name. ${CORRECT_VALUES}`,
    );
}

async function showAndSend(run: Run, payload: JsonObject, route: Route): Promise<ExitCode> {
  const { report, note } = run;
  const { terminal, time } = run.call;
  const secrets = secretsOfCall(payload);
  report.payload = maskValue(payload, secrets);
  const read = checkPayload(payload, time.now());
  if (read.refusal !== undefined) note(`${read.refusal.reason}. ${read.refusal.remedy}`);
  const { about, isEdited } = run.options;
  const isMadeUp = 'user' in about && !isEdited;
  const isPhoneGiven = 'user' in about && about.phone === secrets.phoneNumber;
  const { optIn, optInAttribute = '' } = report;
  showCall(read, {
    route: describeRoute(route),
    isMadeUp,
    isPhoneGiven,
    optIn: optIn && `${optIn}: ${describeOptIn(optIn, optInAttribute)}`,
    secrets,
    terminal,
  });
  if (!run.options.isSure && !(await confirm(terminal, 'Send it?', 'Nothing was sent'))) return decline(run);

  const sent = await showWait(route, terminal, () => sendBy(route, payload, time));
  report.result = sent.reaction?.action ?? 'unknown';
  Object.assign(report, maskResult(sent, secrets));
  showSent(sent, { via: route.via, secrets, terminal });
  const causes = causesIn(sent, secrets);
  for (const { text } of causes) note(text);
  const remedies = causes.flatMap(({ remedy }) => remedy ?? []);
  const isOAuth = route.via === 'gateway' && route.isOAuth;
  report.next.push(...new Set([...remedies, ...nextSteps(sent, isOAuth)]));
  printNextSteps(report.next, terminal);
  const isExpected = report.result === 'sent' || report.result === 'pending';
  return isExpected && !isBlocked(sent.answer?.body) ? 0 : 1;
}

/** Prints what the command waits for, and after three seconds that it takes long. */
async function showWait(
  route: Route,
  terminal: Terminal,
  work: () => Promise<PreviewResult>,
): Promise<PreviewResult> {
  const what = route.via === 'okta' ? 'answer that Okta gets' : "gateway's answer";
  terminal.note(`… Waiting for the ${what}`, 'dim');
  const timer = setTimeout(() => {
    terminal.note('… Still waiting: Okta would have given up its first try by now', 'dim');
  }, LONG_WAIT_MS);
  return work().finally(() => {
    clearTimeout(timer);
  });
}

function decline({ report, call: { terminal } }: Run): ExitCode {
  report.result = 'declined';
  terminal.say('Nothing was sent.');
  return 1;
}
