import type { HttpDispatcher } from '../../http/call.js';
import type { HookProof } from '../../okta/admin/hook-resource.js';
import type { SetupPlan } from '../../okta/admin/setup-plan.js';
import type { CommandCall } from '../command.js';
import { CommandError } from '../failure.js';
import { askForToken, askGateway, type SecretAnswer } from '../doctor/gateway-probe.js';
import type { Org } from '../org.js';

/** The order in which a secret changes: whoever checks it has the new one first, Okta last. */

/** The options of a command that gives Okta a secret. */
export const SECRET_OPTIONS = {
  rotate: { type: 'boolean' },
  'skip-check': { type: 'boolean' },
} as const;

export const SECRET_HELP = `  --rotate       give Okta the secret anew, which it never tells: after the gateway has the new one and the one before
  --skip-check   do not ask the gateway first whether it takes the secret, where this machine does not reach it`;

/** Random letters and digits of this length cannot be guessed over the network. */
const SHORTEST_SECRET = 16;

/** The check of a command's plan, by its options; see `checkSecret`. */
export function secretCheck(
  { options }: Pick<CommandCall, 'options'>,
  { dispatcher }: Pick<Org, 'dispatcher'>,
  hook: { readonly url: string; readonly proof: HookProof },
): (plan: SetupPlan) => Promise<readonly string[]> {
  return (plan) => checkSecret(plan, { ...hook, dispatcher, isSkipped: options['skip-check'] === true });
}

/**
 * Before Okta is given a secret: whether the other side takes it. What Okta calls now must not break, so a hook that
 * is there is not changed then; for one that is only created it is a warning.
 *
 * @returns warnings.
 * @throws CommandError where the secret of a hook that is there would no longer be taken, or nobody knows.
 */
async function checkSecret(
  plan: SetupPlan,
  parts: {
    readonly url: string;
    readonly proof: HookProof;
    readonly dispatcher: HttpDispatcher;
    readonly isSkipped: boolean;
  },
): Promise<readonly string[]> {
  const { proof } = parts;
  const sends = plan.steps.some(({ changes }) => changes.some(({ field }) => field.endsWith('secret')));
  if (!sends) return [];
  const secret = secretOf(proof);
  const warnings =
    secret !== undefined && secret.length < SHORTEST_SECRET
      ? [`The secret has less than ${SHORTEST_SECRET} characters: openssl rand -hex 32 makes a good one.`]
      : [];
  if (parts.isSkipped) return warnings;
  const answer = await ask(plan, parts);
  if (answer.kind === 'accepted') return warnings;
  const what =
    answer.kind === 'refused'
      ? `${answer.by} does not take this secret`
      : `${answer.why}, so whether it takes this secret is not known`;
  if (plan.id === undefined) return [...warnings, `${what}. Until it does, Okta calls the hook in vain.`];
  throw new CommandError(
    1,
    answer.kind === 'refused' ? 'SECRET_REFUSED' : 'SECRET_UNCHECKED',
    `${what}. Nothing was changed: Okta would call the hook in vain at once.`,
    answer.kind === 'refused'
      ? 'Whoever checks the secret comes first. Give the gateway the new one and the one before (credentials.hook.secrets: [new, previous]), let it restart, and run this again.'
      : 'Run this where the gateway can be reached; or, once you are sure that it takes the secret, with --skip-check.',
  );
}

function ask(
  { headerName = 'Authorization' }: SetupPlan,
  { url, proof, dispatcher }: { url: string; proof: HookProof; dispatcher: HttpDispatcher },
): Promise<SecretAnswer> {
  if (proof.kind === 'header') return askGateway(dispatcher, url, { name: headerName, secret: proof.secret });
  const secret = secretOf(proof) ?? '';
  return askForToken(dispatcher, proof, secret);
}

function secretOf(proof: HookProof): string | undefined {
  if (proof.kind === 'header') return proof.secret;
  return 'clientSecret' in proof.by ? proof.by.clientSecret : undefined;
}
