/** What somebody has to do about what Twilio refuses, for the log. */

export const CHECK_CREDENTIALS =
  'Check credentials.twilio: the SIDs, the secret, and that they are of the same region.';
export const CHECK_ACCOUNT = "Look at the account's state in the Twilio Console.";
export const CHECK_SENDER =
  'Check senders: the number has to belong to the account and be able to send this.';
export const CHECK_GEO =
  'Allow the country in the geographic permissions of the Twilio Console, if it is wanted.';
export const CHECK_TEMPLATE =
  "Check the template's state, language and variables in Content Template Builder.";
export const CHECK_WHATSAPP = 'Check the WhatsApp sender in the Twilio Console and its account at Meta.';
export const CHECK_REGISTRATION =
  'Register the sender for the country; until then use another one in senders.sms.';
export const UPGRADE_TRIAL = 'Upgrade the trial account, or verify the number in the Twilio Console.';
export const ADD_CAPACITY = 'Add senders, or ask Twilio for more throughput.';
export const LET_THROUGH = "Where it is a real user: put the number on Twilio's Safe List.";
export const REPORT_BUG = 'Please report this as a fault of okta-telephony-hook.';
