/**
 * A demo of the hook: an org with people, the page of their phones and a bad day, published as `okta-telephony-hook/demo`.
 *
 * @module okta-telephony-hook/demo
 */
export { playBadDay, type BadDay, type BadDayOptions, type BadDayPhase } from './phones/bad-day.js';
export type { BadDayVendors } from './phones/scenario-rules.js';
export type { BadDayPhaseName } from './phones/scenarios.js';
export type { DemoCurl } from './phones/demo-org.js';
export {
  startDemoOrg,
  type DemoHookOptions,
  type DemoOrg,
  type DemoOrgOptions,
  type DemoPerson,
} from './phones/demo-org.js';
export { pageStyle } from '../http/page/style.js';
export type { PageLink, PhoneSource, SuppressionReader } from './phones/api.js';
export { createPhonesPage, type PhonesPage, type PhonesPageOptions } from './phones/page.js';
