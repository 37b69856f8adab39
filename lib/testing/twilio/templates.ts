import type { EmulatedTemplate } from './content.js';
import { asList, textFieldOf } from '../../core/json.js';

/** Sentences of WhatsApp's authentication template and of Verify. They stand for the real ones and are not copied from them. */
export const codeSentence = (code: string): string => `${code} is your verification code.`;
export const KEEP_SECRET = 'For your security, do not share this code.';

/** A template as a phone shows it. */
export interface RenderedTemplate {
  readonly text: string;
  readonly button?: { readonly text: string; readonly copies: string } | undefined;
}

const AUTHENTICATION = 'whatsapp/authentication';
const FAILURE_OF_STATUS: Readonly<Record<string, number>> = {
  rejected: 63040,
  paused: 63041,
  disabled: 63042,
};

/** Fills in a template's variables. A missing one is replaced by its sample. */
export function renderTemplate(
  template: EmulatedTemplate,
  variables: Readonly<Record<string, string>>,
): RenderedTemplate {
  const { types } = template;
  const values: Readonly<Record<string, string>> = { ...template.variables, ...variables };
  const authentication = types[AUTHENTICATION];
  if (authentication === undefined) {
    const body = Object.values(types)[0]?.['body'];
    const text = typeof body === 'string' ? body : '';
    return { text: text.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_whole, name: string) => values[name] ?? '') };
  }
  const code = values['1'] ?? '';
  const minutes = authentication['code_expiration_minutes'];
  const sentences = [
    codeSentence(code),
    ...(authentication['add_security_recommendation'] === false ? [] : [KEEP_SECRET]),
    ...(typeof minutes === 'number' ? [`This code expires in ${minutes} minutes.`] : []),
  ];
  return { text: sentences.join(' '), button: { text: buttonText(authentication['actions']), copies: code } };
}

/**
 * The error with which a template message fails at WhatsApp after Twilio accepted it. In the 24 hours of free
 * text a template need not be approved, except for codes: these need an approved one.
 */
export function templateFailure(
  template: EmulatedTemplate,
  variables: Readonly<Record<string, string>>,
  isWindowOpen: boolean,
): number | undefined {
  const isAuthentication = template.types[AUTHENTICATION] !== undefined;
  if (template.status !== 'approved') {
    const code = FAILURE_OF_STATUS[template.status];
    if (code !== undefined) return code;
    if (!isWindowOpen || isAuthentication) return 63016;
  }
  const isUnknown = Object.keys(variables).some((name) => template.variables[name] === undefined);
  return isUnknown ? 63028 : undefined;
}

function buttonText(actions: unknown): string {
  return textFieldOf(asList(actions)[0], 'copy_code_text') ?? 'Copy code';
}
