import type { HookProof } from '../admin/hook-resource.js';
import { createEventHookPlan } from '../admin/event-hook-setup.js';
import type { SetupPlan } from '../admin/setup-plan.js';
import { planOptInAttribute } from '../admin/opt-in-attribute.js';
import { createTelephonyHookPlan, warnOfNativeTelephony } from '../admin/telephony-hook-setup.js';
import { DEFAULT_OPT_IN_ATTRIBUTE } from '../../options/options.js';
import { isShortSecret, markProbe, MIN_SECRET_LENGTH, type MarkedCall } from '../../okta/probe-mark.js';
import { commandLine, flagOptions, headerOption, textOption, textOptions, YES_OPTION } from '../command.js';
import type { Command, CommandCall } from '../command.js';
import { CommandError } from '../failure.js';
import { fetchHookToken, probeGateway } from '../gateway-probe.js';
import { readHookProof } from '../hook-proof.js';
import { hookRole, INLINE_HOOK_SCOPES, NATIVE_SCOPES, type Org } from '../org.js';
import { runSetup } from './apply-setup.js';

/** The commands that set up an org. Those for hooks give Okta a secret, which the gateway must have first. */

export const setupAttribute: Command = {
  name: 'setup attribute',
  summary: 'sets up the attribute by which users opt in, on the default user profile',
  help: `Creates or updates a boolean that users may change themselves, mastered by Okta. It has no default: no value is no consent.

  -y, --yes    make the changes without asking
  --read-only  users may only see it: for your own page that changes it for them, such as the example's

Environment: OPT_IN_ATTRIBUTE, the attribute's variable name (${DEFAULT_OPT_IN_ATTRIBUTE}).
Service app: okta.schemas.read, okta.schemas.manage. Role: Organization Administrator.

  okta-telephony-hook setup attribute
  OPT_IN_ATTRIBUTE=codesByWhatsApp okta-telephony-hook setup attribute --yes --json`,
  options: { ...YES_OPTION, ...flagOptions('read-only') },
  run: (call) =>
    runSetup(call, 'setup attribute', () => {
      const name = call.variables.read('OPT_IN_ATTRIBUTE') ?? DEFAULT_OPT_IN_ATTRIBUTE;
      const ownAccess = call.options['read-only'] === true ? 'READ_ONLY' : 'READ_WRITE';
      const scopes = ['okta.schemas.read', 'okta.schemas.manage'];
      return Promise.resolve({
        subject: `The attribute ${name}`,
        access: { scopes, role: 'the role Organization Administrator (or Super Administrator)' },
        make: (org) => ({ plan: () => planOptInAttribute(org.as(scopes), name, ownAccess) }),
        next: [
          `Set ${name} to true for yourself: Okta, Directory > People > you > Profile. It appears there within a minute.`,
          ...(name === DEFAULT_OPT_IN_ATTRIBUTE
            ? []
            : [`Give the gateway the same name: optInAttribute: '${name}'.`]),
          commandLine(call, 'setup hook'),
        ],
      });
    }),
};

const OPTIONS = { ...YES_OPTION, ...flagOptions('rotate', 'skip-check'), ...textOptions('name', 'header') };

const SECRET_HELP = `  --rotate       give Okta a new secret, after the gateway has the new and the previous one. Okta never shows its secret
  --skip-check   do not test first whether the gateway accepts the secret, if this machine does not reach it`;

const UNSEEN_SECRET = 'Okta does not show the secret: if you changed it, add --rotate.';

const EVENT_SCOPES = ['okta.eventHooks.read', 'okta.eventHooks.manage'];

export const setupHook: Command = {
  name: 'setup hook',
  summary: 'sets up the telephony inline hook, which Okta calls to deliver codes',
  help: `Creates the telephony hook, or changes the one with the URL PUBLIC_URL in place. It shows another hook, but does not touch it.

  -y, --yes      make the changes without asking; this never touches another hook
  --replace <id> point this other hook to PUBLIC_URL, in place: an org has one active telephony hook
  --name <name>  its name in Okta
  --header <h>   the header with the secret (unchanged; Authorization for a new hook)
${SECRET_HELP}

Environment: PUBLIC_URL of the hook, and HOOK_SECRET, the whole header value.
For OAuth 2.0 instead of HOOK_SECRET: HOOK_OAUTH_CLIENT_ID, HOOK_OAUTH_TOKEN_URL, HOOK_OAUTH_SCOPE, and
HOOK_OAUTH_CLIENT_SECRET or the HOOK_OAUTH_KEY_ID of a hook key (HKY…) whose public key is registered with the client.
Service app: okta.inlineHooks.read, okta.inlineHooks.manage, and okta.customTelephonyProvider.read for the warning that the
org also has its own telephony provider. Role: a custom administrator role with okta.inlinehooks.manage
(or Super Administrator).

Okta's own providers, Twilio and Telesign, and a telephony hook exclude each other. To leave the hook, deactivate it in Okta
(Workflow > Inline Hooks) before you activate a provider there.

  okta-telephony-hook setup hook
  okta-telephony-hook setup hook --replace calabcdefghijklmnopq
  okta-telephony-hook setup hook --rotate --yes`,
  options: { ...OPTIONS, ...textOptions('replace') },
  run: (call) =>
    runSetup(call, 'setup hook', async () => {
      const { options, variables } = call;
      const url = variables.required('PUBLIC_URL', "the hook's own public URL");
      const proof = await readHookProof(call);
      const sendsSecret = options['rotate'] === true;
      const wanted = {
        url,
        proof,
        sendsSecret,
        name: textOption(options, 'name'),
        replacedId: textOption(options, 'replace'),
      };
      return {
        subject: 'The telephony inline hook',
        access: { scopes: INLINE_HOOK_SCOPES, role: hookRole('okta.inlinehooks.manage') },
        make: (org) => ({
          plan: createTelephonyHookPlan(org.as(INLINE_HOOK_SCOPES), wanted),
          check: (plan) => checkSecret(call, org, { plan, url, route: 'hook', proof }),
          readWarnings: async () => {
            const warning = await warnOfNativeTelephony(org.as(NATIVE_SCOPES));
            return warning === undefined ? [] : [`${warning.message}: ${warning.remedy}`];
          },
        }),
        next: [
          ...(sendsSecret
            ? [
                `If the event hook has the same secret: ${commandLine(call, 'setup event-hook --rotate')}`,
                'After some minutes of successful codes, remove the previous secret from the gateway: credentials.hook.secrets.',
              ]
            : []),
          `Send yourself a code, by a real message: ${commandLine(call, 'preview --user <your login>')}`,
          ...(sendsSecret ? [] : [`Learn which codes were used: ${commandLine(call, 'setup event-hook')}`]),
        ],
        unseen: secretOf(proof) === '' ? undefined : UNSEEN_SECRET,
      };
    }),
};

export const setupEventHook: Command = {
  name: 'setup event-hook',
  summary: 'sets up the event hook, which reports used codes and failed calls, and has Okta verify it',
  help: `Creates the event hook, or changes the one with the URL PUBLIC_URL + /events in place, and has Okta verify it. It does not
touch other event hooks. The gateway must be running, because Okta calls it once.

  -y, --yes      make the changes without asking
  --name <name>  its name in Okta
  --header <h>   the header with the secret (unchanged; Authorization for a new hook)
${SECRET_HELP}

Environment: PUBLIC_URL of the telephony hook, and HOOK_SECRET, the whole header value.
Service app: okta.eventHooks.read, okta.eventHooks.manage. Role: a custom administrator role with okta.eventhooks.manage
(or Super Administrator).

  okta-telephony-hook setup event-hook
  okta-telephony-hook setup event-hook --rotate --yes`,
  options: OPTIONS,
  run: (call) =>
    runSetup(call, 'setup event-hook', async () => {
      const { options, variables } = call;
      const publicUrl = variables.required('PUBLIC_URL', "the telephony hook's own public URL");
      const url = `${publicUrl}/events`;
      const what = "the whole header value that Okta's event hook sends";
      const secret = await variables.secret('HOOK_SECRET', what);
      const proof = { kind: 'header', headerName: headerOption(options), secret } as const;
      const name = textOption(options, 'name');
      const sendsSecret = options['rotate'] === true;
      return {
        subject: 'The event hook',
        access: { scopes: EVENT_SCOPES, role: hookRole('okta.eventhooks.manage') },
        make: (org) => ({
          plan: createEventHookPlan(org.as(EVENT_SCOPES), { url, name, proof, sendsSecret }),
          check: (plan) => checkSecret(call, org, { plan, url, route: 'events', proof }),
        }),
        next: [
          'Sign in with a code: the gateway logs code.used. After the activation of the event hook that may take some minutes.',
        ],
        unseen: UNSEEN_SECRET,
      };
    }),
};

/**
 * Tests whether the gateway, or the authorization server, accepts a secret, before a plan gives the secret to Okta. With the
 * secret at Okta first, Okta's calls of an existing hook would fail.
 *
 * @returns warnings. A new hook gets a warning even if the secret is refused.
 * @throws CommandError for an existing hook if the secret is refused, or if the test has no clear result.
 */
async function checkSecret(
  { options, time }: CommandCall,
  { dispatcher }: Org,
  hook: {
    readonly plan: SetupPlan;
    readonly url: string;
    readonly route: MarkedCall['route'];
    readonly proof: HookProof;
  },
): Promise<readonly string[]> {
  const { plan, url, route, proof } = hook;
  const sends = plan.steps.some(({ changes }) => changes.some(({ field }) => field.endsWith('secret')));
  if (!sends) return [];
  const secret = secretOf(proof);
  const short = `The secret or password has less than ${MIN_SECRET_LENGTH} characters: openssl rand -hex 32 makes a good one.`;
  const warnings = isShortSecret(secret) ? [short] : [];
  if (options['skip-check'] === true) return warnings;
  const header = { name: plan.headerName ?? 'Authorization', secret };
  const answer =
    proof.kind === 'header'
      ? await probeGateway(dispatcher, url, header, markProbe(secret, time.now(), { method: 'POST', route }))
      : await fetchHookToken(dispatcher, proof, secret);
  if (answer.kind === 'accepted' || answer.kind === 'token') return warnings;
  const isRefused = answer.kind === 'refused';
  const what = isRefused
    ? `${answer.by} does not accept this secret`
    : `${answer.why}, so it is not known whether it accepts this secret`;
  if (plan.id === undefined) return [...warnings, `${what}. Until it does, Okta's calls of the hook fail.`];
  throw new CommandError(
    isRefused ? 'SECRET_REFUSED' : 'SECRET_UNCHECKED',
    `${what}. Nothing was changed, because Okta's calls of the hook would fail at once.`,
    isRefused
      ? 'Give the gateway the new secret and the previous one first (credentials.hook.secrets: [new, previous]), restart it, and run this again.'
      : 'Run this where the gateway can be reached. If you are sure that it accepts the secret, use --skip-check.',
  );
}

/** Empty for a hook key, whose plan sends no secret. */
function secretOf(proof: HookProof): string {
  if (proof.kind === 'header') return proof.secret;
  return 'clientSecret' in proof.by ? proof.by.clientSecret : '';
}
