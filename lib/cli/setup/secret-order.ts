import type { HttpDispatcher } from '../../core/http.js';
import type { HookProof } from '../../okta/admin/hook-resource.js';
import { isShortSecret, markProbe, MIN_SECRET_LENGTH, type MarkedCall } from '../../okta/probe-mark.js';
import type { SetupPlan } from '../../okta/admin/setup-plan.js';
import type { CommandCall } from '../command.js';
import { CommandError } from '../failure.js';
import { fetchHookToken, probeGateway } from '../gateway-probe.js';
import type { Org } from '../org.js';

/** The options of a setup command that gives Okta a secret. */
export const SECRET_OPTIONS = {
  rotate: { type: 'boolean' },
  'skip-check': { type: 'boolean' },
} as const;

export const SECRET_HELP = `  --rotate       give Okta a new secret, after the gateway has the new and the previous one. Okta never shows its secret
  --skip-check   do not test first whether the gateway accepts the secret, if this machine does not reach it`;

/** Makes the check for `applySetup` from a command's options; see `checkSecret`. */
export function createSecretCheck(
  { options, time }: Pick<CommandCall, 'options' | 'time'>,
  { dispatcher }: Pick<Org, 'dispatcher'>,
  hook: {
    readonly url: string;
    readonly route: MarkedCall['route'];
    readonly proof: HookProof;
  },
): (plan: SetupPlan) => Promise<readonly string[]> {
  const isSkipped = options['skip-check'] === true;
  return (plan) => checkSecret(plan, { ...hook, dispatcher, isSkipped, nowMs: time.now() });
}

/**
 * Tests before a plan gives Okta a secret whether the gateway, or the authorization server, accepts it. The order matters:
 * whoever checks a secret gets it first, and Okta last, so that an existing hook never breaks.
 *
 * @returns warnings. A new hook gets a warning even if the secret is refused.
 * @throws CommandError for an existing hook if the secret is refused, or if the test has no clear result.
 */
async function checkSecret(
  plan: SetupPlan,
  parts: {
    readonly url: string;
    readonly route: MarkedCall['route'];
    readonly proof: HookProof;
    readonly dispatcher: HttpDispatcher;
    readonly isSkipped: boolean;
    readonly nowMs: number;
  },
): Promise<readonly string[]> {
  const { proof } = parts;
  const sends = plan.steps.some(({ changes }) => changes.some(({ field }) => field.endsWith('secret')));
  if (!sends) return [];
  const secret = secretOf(proof);
  const warnings =
    secret !== undefined && isShortSecret(secret)
      ? [
          `The secret or password has less than ${MIN_SECRET_LENGTH} characters: openssl rand -hex 32 makes a good one.`,
        ]
      : [];
  if (parts.isSkipped) return warnings;
  const { url, dispatcher } = parts;
  const answer =
    proof.kind === 'header'
      ? await probeGateway(
          dispatcher,
          url,
          { name: plan.headerName ?? 'Authorization', secret: proof.secret },
          markProbe(proof.secret, parts.nowMs, { method: 'POST', route: parts.route }),
        )
      : await fetchHookToken(dispatcher, proof, secret ?? '');
  if (answer.kind === 'accepted' || answer.kind === 'token') return warnings;
  const what =
    answer.kind === 'refused'
      ? `${answer.by} does not accept this secret`
      : `${answer.why}, so it is not known whether it accepts this secret`;
  if (plan.id === undefined) return [...warnings, `${what}. Until it does, Okta's calls of the hook fail.`];
  throw new CommandError(
    1,
    answer.kind === 'refused' ? 'SECRET_REFUSED' : 'SECRET_UNCHECKED',
    `${what}. Nothing was changed, because Okta's calls of the hook would fail at once.`,
    answer.kind === 'refused'
      ? 'Give the gateway the new secret and the previous one first (credentials.hook.secrets: [new, previous]), restart it, and run this again.'
      : 'Run this where the gateway can be reached. If you are sure that it accepts the secret, use --skip-check.',
  );
}

function secretOf(proof: HookProof): string | undefined {
  if (proof.kind === 'header') return proof.secret;
  return 'clientSecret' in proof.by ? proof.by.clientSecret : undefined;
}
