import { fieldOf, textFieldOf } from '../../../core/json.js';
import type { SenderVariables } from '../../../options/read-variables.js';
import { fail, ok, warn, type Finding } from '../finding.js';
import { unreadFinding, type TwilioAccess } from './twilio-access.js';

/** The sandbox number of Twilio, which all accounts share. */
const SANDBOX = '+14155238886';
const TEMPLATE_TYPE = 'whatsapp/authentication';

/** The finding about the sender: the sandbox, or one of the account. */
export function whatsAppFinding({ whatsapp, sandboxNumber }: SenderVariables): Finding {
  if (whatsapp !== undefined) {
    // Doctor does not read WhatsApp senders from Twilio.
    return warn(
      'Doctor does not check the sender TWILIO_WHATSAPP_FROM itself, only its templates.',
      'Check that it belongs to the account and is online: Twilio Console, Messaging > Senders > WhatsApp senders.',
    );
  }
  if (sandboxNumber !== undefined) return sandboxFinding(sandboxNumber);
  return warn(
    'Skipped: no WhatsApp sender is set. Users who opted in get an SMS.',
    'Set TWILIO_WHATSAPP_FROM and TWILIO_WHATSAPP_TEMPLATE, or for a trial TWILIO_SANDBOX_NUMBER.',
  );
}

function sandboxFinding(from: string): Finding {
  if (from === SANDBOX) {
    return ok(
      'WhatsApp uses the sandbox, for trials: it sends only to phones that have joined it, within 24 hours of their last message.',
    );
  }
  return warn(
    "TWILIO_SANDBOX_NUMBER is not the number of Twilio's sandbox.",
    'For your own number set TWILIO_WHATSAPP_FROM and TWILIO_WHATSAPP_TEMPLATE. The sandbox is in the Twilio Console under Messaging > Try it out.',
  );
}

export async function templateFinding({ sending }: TwilioAccess, sid: string): Promise<Finding> {
  const [template, approval] = await Promise.all([sending.template(sid), sending.approval(sid)]);
  if (template.kind !== 'found') {
    const absent = fail(
      `The account has no template ${sid}.`,
      'Copy the Content SID again: Twilio Console, Messaging > Content Template Builder.',
    );
    return unreadFinding('The template', template, absent);
  }
  if (approval.kind !== 'found') return unreadFinding('The approval of the template', approval);
  const whatsApp = fieldOf(approval.body, 'whatsapp');
  const status = textFieldOf(whatsApp, 'status') ?? 'unsubmitted';
  const category = textFieldOf(whatsApp, 'category') ?? '';
  const language = textFieldOf(template.body, 'language') ?? 'no language';
  const variables = Object.keys(Object(template.body['variables']) as object);
  const types = Object.keys(Object(template.body['types']) as object);
  if (status !== 'approved') {
    return fail(
      `The template's status at WhatsApp is ${word(status)}: codes that use it do not arrive.`,
      status === 'unsubmitted'
        ? 'Submit it for WhatsApp approval, in the category Authentication: Twilio Console, Content Template Builder.'
        : 'Look up the reason in Content Template Builder and in WhatsApp Manager at Meta. If it was rejected, make another one.',
    );
  }
  if (category.toUpperCase() !== 'AUTHENTICATION' || !types.includes(TEMPLATE_TYPE)) {
    return fail(
      `The template has the category ${word(category)} and the type ${word(types[0] ?? '')}: WhatsApp allows codes in authentication templates only.`,
      `Make one of the type ${TEMPLATE_TYPE} in the category Authentication, and submit it for approval.`,
    );
  }
  if (variables.length > 1 || (variables[0] ?? '1') !== '1') {
    return fail(
      `The template has the variables ${variables.map(word).join(', ')}: the gateway sets only {{1}}, the code.`,
      `Make one of the type ${TEMPLATE_TYPE}: it has that one variable.`,
    );
  }
  return ok(`The template is an approved authentication template with one variable, in ${word(language)}.`);
}

/** A name from Twilio's answer, if it looks like one. */
function word(text: string): string {
  return /^[\w/-]{1,40}$/.test(text) ? text : 'unknown';
}
