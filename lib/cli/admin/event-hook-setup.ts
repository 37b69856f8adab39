import { OktaApiError } from '../../core/errors.js';
import type { Administration } from './administration.js';
import { asList, fieldOf } from '../../core/json.js';
import { ENROLLMENT, HOOK_FAILED, SIGN_IN } from '../../okta/event-hook.js';
import {
  activation,
  channelOf,
  createHookWriter,
  describeHook,
  describeProof,
  headerNameOf,
  isSameUrl,
  readHooks,
  type HookProof,
  type HookResource,
  type WantedHook,
} from './hook-resource.js';
import type { SetupPlan, SetupStep } from './setup-plan.js';

/** Sets up the event hook about used codes and failed calls, by the Event Hooks API. */

const HOOKS = '/api/v1/eventHooks';
const EVENT_HOOK = { name: 'event hook', path: HOOKS };
const DEFAULT_NAME = 'Telephony gateway: codes that were used';
const EVENTS = [SIGN_IN, ENROLLMENT, HOOK_FAILED];

export interface WantedEventHook extends WantedHook {
  /** Event hooks do not support OAuth. */
  readonly proof: Extract<HookProof, { kind: 'header' }>;
}

/**
 * Plans to create and verify the hook, or to change the hook with the same URL in place. Other hooks are never changed.
 * @throws OktaApiError
 */
export function createEventHookPlan(okta: Administration, wanted: WantedEventHook): () => Promise<SetupPlan> {
  const { url, proof } = wanted;
  const writeHook = createHookWriter(okta, EVENT_HOOK, wanted);

  const write = (found: HookResource | undefined): readonly SetupStep[] => {
    const name = wanted.name ?? found?.name ?? DEFAULT_NAME;
    const known = found === undefined ? [] : eventsOf(found);
    // Events that another administrator added stay.
    const items = [...known, ...EVENTS.filter((event) => !known.includes(event))];
    return writeHook(
      found,
      [
        ['name', found?.name, name],
        ['url', found && url, url],
        ['authentication', found?.authentication, describeProof(proof, found)],
        ['events', found && known.join(', '), items.join(', ')],
      ],
      {
        name,
        ...keptOf(found),
        events: { type: 'EVENT_TYPE', items, ...filterOf(found) },
        channel: channelOf(url, proof, found),
      },
    );
  };

  // Okta calls the gateway, which must be running. A hook that is not created yet is verified by a later plan.
  const verify = (found: HookResource | undefined): SetupStep => ({
    does: 'Have Okta verify the event hook',
    changes: [{ field: 'verification', from: 'UNVERIFIED', to: 'VERIFIED' }],
    run: async () => {
      if (found === undefined) return;
      try {
        await okta.post(`${HOOKS}/${found.id}/lifecycle/verify`);
      } catch (error) {
        throw error instanceof OktaApiError && error.status === 400 ? notVerified(error) : error;
      }
    },
  });

  return async () => {
    const hooks = readHooks(await okta.get(HOOKS));
    const ours = hooks.filter((hook) => isSameUrl(hook.url, url));
    const target = ours.find(({ isActive }) => isActive) ?? ours[0];
    const writes = write(target);
    // A changed channel must be verified again.
    const status = fieldOf(target?.resource, 'verificationStatus');
    const isVerified = status === 'VERIFIED' && writes.length === 0;
    return {
      id: target?.id,
      headerName: headerNameOf(proof, target),
      warnings: ours
        .filter((other) => other !== target)
        .map(
          (other) => `A second event hook of the same URL: ${describeHook(other)}. Deactivate and delete it.`,
        ),
      steps: [...writes, ...activation(okta, EVENT_HOOK, target), ...(isVerified ? [] : [verify(target)])],
    };
  };
}

/** Okta called the gateway and did not get its challenge back. */
function notVerified({ code, status, cause }: OktaApiError): OktaApiError {
  return new OktaApiError(code, 'Okta could not verify the event hook, and sends no events until it has', {
    status,
    cause,
    remedy:
      'See that the gateway runs, and that Okta reaches PUBLIC_URL + /events from the internet within 3 s. Then run this again: it goes on where it was.',
  });
}

function eventsOf({ resource }: HookResource): readonly string[] {
  const items = asList(fieldOf(resource, 'events', 'items'));
  return items.filter((item) => typeof item === 'string');
}

/** A `PUT` without the description would remove it. */
function keptOf(found: HookResource | undefined): object {
  const description = fieldOf(found?.resource, 'description');
  return typeof description === 'string' ? { description } : {};
}

function filterOf(found: HookResource | undefined): object {
  const filter = fieldOf(found?.resource, 'events', 'filter');
  return filter === undefined || filter === null ? {} : { filter };
}
