import type { EmulatedTemplate } from './content.js';
import { asList, textFieldOf } from '../../core/json.js';
import { presetSentence } from './texts.js';

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
/** The limits of WhatsApp for a code and for a whole message, in characters. */
const MAX_CODE = 14;
const MAX_LENGTH = 1024;

/** Fills in a template's variables. A missing one is replaced by its sample. */
export function renderTemplate(
  template: EmulatedTemplate,
  variables: Readonly<Record<string, string>>,
): RenderedTemplate {
  const { language, types } = template;
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
    presetSentence(language, 'isCode', { code }),
    ...(authentication['add_security_recommendation'] === false
      ? []
      : [presetSentence(language, 'keepSecret')]),
    ...(typeof minutes === 'number' ? [presetSentence(language, 'expires', { minutes })] : []),
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
  if (Object.keys(variables).some((name) => template.variables[name] === undefined)) return 63028;
  const values = Object.values(variables);
  if (values.some((value) => / {5}/.test(value))) return 63013;
  if (isAuthentication && values.some((value) => Array.from(value).length > MAX_CODE)) return 63021;
  const { text } = renderTemplate(template, variables);
  return Array.from(text).length > MAX_LENGTH ? 63021 : undefined;
}

function buttonText(actions: unknown): string {
  return textFieldOf(asList(actions)[0], 'copy_code_text') ?? 'Copy code';
}
