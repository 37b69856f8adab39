import { createAgent, type HttpDispatcher } from '../../http/call.js';
import { OktaApiError } from '../../core/errors.js';
import { makeSampleCall, readSampleUser } from '../../okta/sample-call.js';
import { sayNext, type Command, type CommandCall } from '../command.js';
import { CommandError, tellFailure, type ExitCode } from '../failure.js';
import { maskValue, secretsOfCall } from './masked-call.js';
import { CONNECT_TIMEOUT_MS, withOrg, type Org } from '../org.js';
import { checkPayload, editPayload, readPayload, type Payload } from './payload.js';
import { nextSteps, causesIn, showCall, showSent, toldSent, type ToldSent } from './report.js';
import {
  withoutCause,
  type PreviewResult,
  describeRoute,
  findOktaRoute,
  readGatewayRoute,
  RUN_HOOKS,
  sendBy,
  type Route,
} from './send.js';
import { readPreviewOptions, type PreviewOptions } from './options.js';
import type { Terminal } from '../terminal.js';

const READ_USERS = ['okta.users.read'];
/** Of what fails before Okta, or this machine, calls the hook. */
const AGAIN = 'nothing was sent';
/** Okta's own first try is over then. */
const LONG_WAIT_MS = 3_000;

export const preview: Command = {
  name: 'preview',
  summary: 'a hook call as Okta would make it, for a user of yours: a real message goes out',
  help: `Makes a call of the telephony hook for a user, with the phone that they enrolled and a made-up code, shows it, asks, sends it,
and tells the answer, what Okta does with it, and the time that it took of Okta's three seconds.
A real message goes out, to a real phone. Run again, it sends again.

  --user <login>         for whom: a login or a user id
  --request-type <kind>  mfa-verification (usual), pre-enrollment, account-unlock, password-reset
  --channel <channel>    what Okta asks for: sms (usual) or voice
  --phone <number>       in place of the user's own: + and digits
  --via <way>            okta (usual): Okta calls the hook, in up to two tries of three seconds, as its own preview does;
                         gateway: this machine calls PUBLIC_URL itself
  --hook <id>            this hook at Okta (the org's active telephony hook)
  --header <name>        the header that has the secret, with --via gateway (Authorization)
  --edit                 change the payload before it is sent, in VISUAL or EDITOR: shows it as it is, number and code with it
  --payload <file>       send this payload, as another event; - is standard input
  --print                print the payload as it is, number and code with it, and send nothing
  -y, --yes              send without asking

Okta: role Super Administrator; a service app has the scopes okta.users.read, okta.inlineHooks.read, okta.inlineHooks.manage. With
--via gateway a Read-Only Administrator and okta.users.read will do, and PUBLIC_URL and HOOK_SECRET, or the variables HOOK_OAUTH_…
of a client with a secret, are needed; see setup hook.

Exit codes: 0 Okta would take the code as sent, or as on its way; 1 it would not, or nothing was sent; 2 bad use.

  okta-telephony-hook preview --user ana@example.com
  okta-telephony-hook preview --user ana@example.com --channel voice --via gateway --yes --json
  okta-telephony-hook preview --user ana@example.com --print > call.json
  okta-telephony-hook preview --payload call.json --edit`,
  options: {
    user: { type: 'string' },
    'request-type': { type: 'string' },
    channel: { type: 'string' },
    phone: { type: 'string' },
    via: { type: 'string' },
    hook: { type: 'string' },
    header: { type: 'string' },
    edit: { type: 'boolean' },
    payload: { type: 'string' },
    print: { type: 'boolean' },
    yes: { type: 'boolean', short: 'y' },
  },
  async run(call) {
    const { terminal } = call;
    const report: PreviewReport = { command: 'preview', result: 'failed', notes: [], next: [] };
    const note = (text: string): void => {
      report.notes.push(text);
      terminal.note(`! ${text}`, 'yellow');
    };
    try {
      const wish = readPreviewOptions(call.options);
      report.via = wish.via;
      const exitCode = await runPreview({ call, wish, report, note });
      if (!wish.isPrinted || exitCode !== 0) terminal.json(report);
      return exitCode;
    } catch (error) {
      const { exitCode, ...told } = tellFailure(error, terminal);
      terminal.json({ ...report, result: 'failed', error: told });
      return exitCode;
    }
  },
};

/** For programs; filled as it goes on. */
interface PreviewReport extends Partial<ToldSent> {
  readonly command: 'preview';
  /** Okta's reaction, where it was sent; `unknown` where it may have been, and Okta's API did not say. */
  result: NonNullable<ToldSent['reaction']>['action'] | 'unknown' | 'declined' | 'failed';
  via?: PreviewOptions['via'];
  /** The org's host. */
  org?: string;
  /** The hook's id at Okta. */
  hook?: string;
  /** Masked. */
  payload?: unknown;
  /** What to know of the call, and of what came of it. */
  readonly notes: string[];
  readonly next: string[];
}

/** One run of the command, and what is said of it. */
interface Run {
  readonly call: CommandCall;
  readonly wish: PreviewOptions;
  readonly report: PreviewReport;
  /** What to know, for people and for programs. */
  readonly note: (text: string) => void;
}

async function runPreview(run: Run): Promise<ExitCode> {
  const { terminal, time, variables } = run.call;
  const { about, via, isPrinted } = run.wish;
  const isByOkta = via === 'okta' && !isPrinted;
  const isOrgNeeded = 'user' in about || isByOkta;
  const credential = isOrgNeeded ? await variables.okta() : undefined;
  const openGateway = isByOkta || isPrinted ? undefined : await readGatewayRoute(run.call);
  const publicUrl = isByOkta ? variables.read('PUBLIC_URL') : undefined;
  const editor = variables.valueOf('VISUAL') ?? variables.valueOf('EDITOR');
  variables.require();

  const goOn = async (org: OpenOrg | undefined, dispatcher: HttpDispatcher): Promise<ExitCode> => {
    const { hookId } = run.wish;
    const way = isByOkta
      ? await findOktaRoute(needed(org).org, { hookId, publicUrl, note: run.note })
      : await openGateway?.(dispatcher);
    if (way?.via === 'okta') run.report.hook = way.hook.id;
    let payload: Payload | undefined = await makePayload(run, org, run.report.hook);
    if (run.wish.isEdited) payload = await editPayload(payload, { terminal, editor, nowMs: time.now() });
    if (payload === undefined) return decline(run);
    return way === undefined ? print(payload, terminal) : showAndSend(run, payload, way);
  };

  if (credential === undefined) {
    const dispatcher = createAgent(CONNECT_TIMEOUT_MS);
    return goOn(undefined, dispatcher).finally(() => dispatcher.destroy());
  }
  const access = isByOkta
    ? { scopes: [...READ_USERS, ...RUN_HOOKS], role: 'Super Administrator', again: AGAIN }
    : { scopes: READ_USERS, role: 'Read-Only Administrator', again: AGAIN };
  return withOrg({ credential, access, terminal, time }, async (org) => {
    run.report.org = org.host;
    terminal.note(`Okta org ${org.host}`);
    return goOn({ org, url: new URL(credential.orgUrl).origin }, org.dispatcher);
  });
}

interface OpenOrg {
  readonly org: Org;
  readonly url: string;
}

/** Only a payload of one's own does without. */
function needed(org: OpenOrg | undefined): OpenOrg {
  if (org === undefined) throw new TypeError('An org is needed, and none was opened.');
  return org;
}

/** As it is: its owner asked for it. */
function print(payload: Payload, terminal: Terminal): ExitCode {
  terminal.sayJson(payload);
  return 0;
}

async function makePayload(
  { call, wish: { about }, note }: Run,
  opened: OpenOrg | undefined,
  hookId: string | undefined,
): Promise<Payload> {
  const { terminal, time } = call;
  if ('file' in about) return readPayload(about.file, terminal, time.now());
  const { org, url } = needed(opened);
  const okta = org.as(READ_USERS);
  const ask = (path: string): Promise<unknown> =>
    okta.get(path).catch((error: unknown) => {
      // Okta's own words quote whom it was asked for.
      throw withoutCause(error);
    });
  const user = await readSampleUser(ask, about.user).catch((error: unknown) => {
    if (!(error instanceof OktaApiError) || error.code !== 'OKTA_NOT_FOUND') throw error;
    throw new CommandError(
      1,
      'USER_NOT_FOUND',
      'The org has no such user, or none whom these credentials may see.',
      error.remedy ?? "Give the user's whole login or their id (00u…): Okta, Directory > People.",
    );
  });
  const made = makeSampleCall(user, { ...about, orgUrl: url, hookId, nowMs: time.now() });
  for (const text of made.notes) note(text);
  return made.payload;
}

async function showAndSend(run: Run, payload: Payload, way: Route): Promise<ExitCode> {
  const { report, note } = run;
  const { terminal, time } = run.call;
  const secrets = secretsOfCall(payload);
  report.payload = maskValue(payload, secrets);
  const read = checkPayload(payload, time.now());
  if (read.refusal !== undefined) note(`${read.refusal.reason}. ${read.refusal.remedy}`);
  const isMadeUp = 'user' in run.wish.about && !run.wish.isEdited;
  showCall(read, { way: describeRoute(way), isMadeUp, secrets, terminal });
  if (!run.wish.isSure && !(await isAgreed(terminal))) return decline(run);

  const sent = await whileTelling(way, terminal, () => sendBy(way, payload, { time, secrets }));
  report.result = sent.reaction?.action ?? 'unknown';
  Object.assign(report, toldSent(sent, secrets));
  showSent(sent, { via: way.via, secrets, terminal });
  const causes = causesIn(sent, secrets);
  for (const { text } of causes) note(text);
  const remedies = causes.flatMap(({ remedy }) => remedy ?? []);
  const isOAuth = way.via === 'gateway' && way.isOAuth;
  report.next.push(...new Set([...remedies, ...nextSteps(sent, isOAuth)]));
  sayNext(report.next, terminal);
  return report.result === 'sent' || report.result === 'pending' ? 0 : 1;
}

/** Somebody who waits is told what for, and that it takes long. */
async function whileTelling(
  way: Route,
  terminal: Terminal,
  work: () => Promise<PreviewResult>,
): Promise<PreviewResult> {
  terminal.note(
    `… Waiting for the ${way.via === 'okta' ? 'answer that Okta gets' : "gateway's answer"}`,
    'dim',
  );
  const timer = setTimeout(() => {
    terminal.note('… Still waiting: Okta would have given its first try up by now', 'dim');
  }, LONG_WAIT_MS);
  return work().finally(() => {
    clearTimeout(timer);
  });
}

/** @throws CommandError where nobody is there to be asked. */
async function isAgreed(terminal: Terminal): Promise<boolean> {
  if (terminal.isInteractive) return terminal.confirm('Send it?');
  throw new CommandError(
    2,
    'NOBODY_TO_ASK',
    'Nothing was sent: this is no terminal, and nobody can be asked.',
    'Say yes to what is shown with --yes.',
  );
}

function decline({ report, call: { terminal } }: Run): ExitCode {
  report.result = 'declined';
  terminal.say('Nothing was sent.');
  return 1;
}
