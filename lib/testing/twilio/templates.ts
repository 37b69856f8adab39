import type { EmulatedTemplate } from './content.js';
import { asList, textFieldOf } from '../../core/json.js';

/**
 * The texts of Twilio and WhatsApp in one language, with `{code}`, `{service}` and `{minutes}`. They stand for the
 * real ones and are not copied from them.
 */
interface PresetWords {
  /** WhatsApp's authentication template. */
  readonly isCode: string;
  readonly keepSecret: string;
  readonly expires: string;
  /** Verify's message. */
  readonly verifyText: string;
  /** Verify's call. */
  readonly verifyCall: string;
}

const ENGLISH: PresetWords = {
  isCode: '{code} is your verification code.',
  keepSecret: 'For your security, do not share this code.',
  expires: 'This code expires in {minutes} minutes.',
  verifyText: 'Your {service} verification code is: {code}',
  verifyCall: 'Your verification code is: {code}.',
};

const PRESETS: Readonly<Record<string, PresetWords>> = {
  es: {
    isCode: '{code} es tu código de verificación.',
    keepSecret: 'Por tu seguridad, no lo compartas.',
    expires: 'Este código caduca en {minutes} minutos.',
    verifyText: 'Tu código de verificación para {service} es: {code}',
    verifyCall: 'Tu código de verificación es: {code}.',
  },
  fr: {
    isCode: '{code} est votre code de vérification.',
    keepSecret: 'Pour votre sécurité, ne le partagez pas.',
    expires: 'Ce code expire dans {minutes} minutes.',
    verifyText: 'Votre code de vérification pour {service} est : {code}',
    verifyCall: 'Votre code de vérification est : {code}.',
  },
  de: {
    isCode: '{code} ist dein Bestätigungscode.',
    keepSecret: 'Gib diesen Code zu deiner Sicherheit nicht weiter.',
    expires: 'Dieser Code läuft in {minutes} Minuten ab.',
    verifyText: 'Dein Bestätigungscode für {service} lautet: {code}',
    verifyCall: 'Dein Bestätigungscode lautet: {code}.',
  },
  pt: {
    isCode: '{code} é o seu código de verificação.',
    keepSecret: 'Para sua segurança, não o compartilhe.',
    expires: 'Este código expira em {minutes} minutos.',
    verifyText: 'Seu código de verificação para {service} é: {code}',
    verifyCall: 'Seu código de verificação é: {code}.',
  },
};

/** A sentence in a language, `pt_BR` and `pt-BR` alike; English for those that are not in the table. */
export function presetSentence(
  language: string,
  sentence: keyof PresetWords,
  values: Readonly<Record<string, string | number>> = {},
): string {
  const base = language.split(/[-_]/)[0] ?? '';
  const words = (Object.hasOwn(PRESETS, base) ? PRESETS[base] : undefined) ?? ENGLISH;
  return words[sentence].replace(/\{(\w+)\}/g, (_whole, name: string) => String(values[name] ?? ''));
}

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
  const isUnknown = Object.keys(variables).some((name) => template.variables[name] === undefined);
  return isUnknown ? 63028 : undefined;
}

function buttonText(actions: unknown): string {
  return textFieldOf(asList(actions)[0], 'copy_code_text') ?? 'Copy code';
}
