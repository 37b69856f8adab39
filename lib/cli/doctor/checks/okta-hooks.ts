import { createEventHookPlan } from '../../admin/event-hook-setup.js';
import type { SetupPlan } from '../../admin/setup-plan.js';
import { createTelephonyHookPlan, warnOfNativeTelephony } from '../../admin/telephony-hook-setup.js';
import type { HookVariables } from '../variables.js';
import { fail, ok, once, warn, type Finding } from '../finding.js';
import { hookRole, NATIVE_SCOPES } from '../../org.js';
import { describeDifferences, type OrgReader } from './okta-access.js';

export const INLINE_HOOKS = { scopes: ['okta.inlineHooks.read'], role: hookRole('okta.inlinehooks.read') };
export const EVENT_HOOKS = { scopes: ['okta.eventHooks.read'], role: hookRole('okta.eventhooks.read') };
const NO_SECRET = { kind: 'header', headerName: undefined, secret: '' } as const;

/**
 * Compares the org's hooks with the variables. It asks the setup commands for their plans: a hook is right if its setup
 * would change nothing.
 */
export function createHookChecks(org: OrgReader, hook: HookVariables | undefined) {
  const { url = '', proof = NO_SECRET } = hook ?? {};
  const wanted = { url, name: undefined, proof, replacedId: undefined, sendsSecret: false };
  const plan = once(createTelephonyHookPlan(org.readOnly(INLINE_HOOKS.scopes), wanted));
  const wantedEvents = { ...wanted, url: `${url}/events`, proof: NO_SECRET };
  const eventPlan = once(createEventHookPlan(org.readOnly(EVENT_HOOKS.scopes), wantedEvents));
  const skipped = warn('Skipped: PUBLIC_URL is not set.', "Set it to the hook's URL in Okta.");
  return {
    telephonyHook: async (): Promise<Finding> =>
      hook === undefined ? skipped : telephonyFinding(await plan()),
    eventHook: async (): Promise<Finding> =>
      hook === undefined ? skipped : eventFinding(await eventPlan(), hook.isLearning === true),
    async nativeTelephony(): Promise<Finding> {
      const warning = await warnOfNativeTelephony(org.readOnly(NATIVE_SCOPES));
      if (warning === undefined) return ok("None of the org's own telephony providers is active.");
      const { message, remedy } = warning;
      return warn(`${message}.`, remedy.slice(0, 1).toUpperCase() + remedy.slice(1));
    },
    /** The header with which Okta calls one of the hooks; `undefined` if that cannot be read. */
    headerName: (kind: 'inline' | 'event'): Promise<string | undefined> =>
      (kind === 'inline' ? plan() : eventPlan()).then(
        // Without a hook the plan has the header of a new one, which says nothing about the gateway.
        ({ id, headerName }) => (id === undefined ? undefined : headerName),
        () => undefined,
      ),
  };
}

function telephonyFinding(plan: SetupPlan): Finding {
  const { obstacle, id, steps, warnings } = plan;
  if (obstacle !== undefined) {
    return fail(obstacle.message, `okta-telephony-hook setup hook. ${obstacle.remedy}`);
  }
  const others = warnings.length === 0 ? '' : ` ${warnings.join(' ')}`;
  if (id === undefined) {
    return fail(
      `The org has no telephony hook whose URL is PUBLIC_URL.${others}`,
      'okta-telephony-hook setup hook creates it. If Okta has another spelling of the URL, use that in PUBLIC_URL.',
    );
  }
  if (steps.length === 0) return ok(`The telephony hook is active, and its URL is PUBLIC_URL.${others}`);
  return fail(
    `The telephony hook is set up differently: ${differences(plan)}.${others}`,
    'okta-telephony-hook setup hook updates it in place.',
  );
}

function eventFinding(plan: SetupPlan, isLearning: boolean): Finding {
  const { id, steps, warnings } = plan;
  const setUp = 'okta-telephony-hook setup event-hook';
  if (id === undefined && isLearning) {
    return fail(
      'The org has no event hook whose URL is PUBLIC_URL + /events: GUARD_LEARN learns nothing without it, and is blind.',
      `${setUp} creates it, while the gateway runs.`,
    );
  }
  if (id === undefined) {
    return warn(
      'The org has no event hook whose URL is PUBLIC_URL + /events: the gateway does not learn which codes were used, and on which calls Okta gave up.',
      `${setUp} creates it, while the gateway runs.`,
    );
  }
  const [warning] = warnings;
  if (steps.length > 0) {
    return fail(
      `The event hook is set up differently: ${differences(plan)}.`,
      `${setUp} updates it and has Okta verify it.`,
    );
  }
  return warning === undefined
    ? ok('The event hook is active and verified, and gets sign-ins, enrollments and failed calls.')
    : warn(warning, 'Until then the gateway gets every event twice.');
}

/** The changes that a setup would make, without the secret: Okta does not show it, so each plan has it. */
function differences({ steps }: SetupPlan): string {
  const changes = steps.flatMap((step) => step.changes);
  return describeDifferences(changes.filter(({ field }) => !field.endsWith('secret')));
}
