import type { RsaKeys } from './rsa-keys.js';
import type { Outbound } from '../server/outbound.js';

/** What the parts of an emulated org share. */
export interface OrgContext {
  readonly orgUrl: string;
  /** The custom authorization server. */
  readonly issuer: string;
  readonly clock: () => number;
  readonly apiToken: string;
  /** The roles of the administrator who made the API token. */
  readonly apiTokenRoles: readonly string[];
  readonly tokenLifetimeSeconds: number;
  /** How Okta calls hooks. */
  readonly outbound: Outbound;
  readonly rsaKeys: RsaKeys;
}
