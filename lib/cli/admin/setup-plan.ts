/** The plan of a setup: the steps that bring one resource of an org up to date. `setup` shows it before it runs a step. */

/** A changed field. Never holds a secret. */
export interface SetupChange {
  readonly field: string;
  readonly from: string | undefined;
  readonly to: string;
}

/** One request that changes the org. */
export interface SetupStep {
  /** What the step does, in the imperative, with the name or id of the resource. */
  readonly does: string;
  readonly changes: readonly SetupChange[];
  /** @throws OktaApiError */
  run(): Promise<void>;
}

/** The steps from the org's current state, which each plan reads anew. */
export interface SetupPlan {
  /** Empty if nothing must change. */
  readonly steps: readonly SetupStep[];
  /** Why no step is possible, and what the administrator must decide or do first. */
  readonly obstacle?: { readonly message: string; readonly remedy: string } | undefined;
  /** What works, but perhaps not as intended. */
  readonly warnings: readonly string[];
  /** The resource's id at Okta, if it exists. */
  readonly id?: string | undefined;
  /** The name of the header with the secret, if Okta uses one. */
  readonly headerName?: string | undefined;
}

/** The fields that differ. */
export function changesOf(
  fields: readonly (readonly [field: string, from: string | undefined, to: string])[],
): readonly SetupChange[] {
  return fields.filter(([, from, to]) => from !== to).map(([field, from, to]) => ({ field, from, to }));
}
