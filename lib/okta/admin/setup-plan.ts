/** What bringing one thing of an org up to date takes: looked up first, shown, and only then done. */

/** One field that changes. Never a secret. */
export interface SetupChange {
  readonly field: string;
  /** `undefined` where it had none. */
  readonly from: string | undefined;
  readonly to: string;
}

/** One request that changes the org. */
export interface SetupStep {
  /** In the imperative, with the name or the id of what it is done to. */
  readonly does: string;
  readonly changes: readonly SetupChange[];
  /** @throws OktaApiError */
  run(): Promise<void>;
}

/** What has to be done, as the org is now. */
export interface SetupPlan {
  /** Empty where everything is as it should be. */
  readonly steps: readonly SetupStep[];
  /** Why nothing is done, and what somebody has to decide or to do first. */
  readonly obstacle?: { readonly message: string; readonly remedy: string } | undefined;
  /** What is there, or works, but perhaps not as meant. */
  readonly warnings: readonly string[];
  /** The id that the thing has at Okta, where it is there. */
  readonly id?: string | undefined;
  /** The header by which Okta proves itself, or will, where it is one. */
  readonly headerName?: string | undefined;
}

/** A thing of the org that can be brought up to date. */
export interface Setup {
  /** Asks the org anew each time. @throws OktaApiError */
  plan(): Promise<SetupPlan>;
}

/** The fields that differ. */
export function changesOf(
  fields: readonly (readonly [field: string, from: string | undefined, to: string])[],
): readonly SetupChange[] {
  return fields.filter(([, from, to]) => from !== to).map(([field, from, to]) => ({ field, from, to }));
}
