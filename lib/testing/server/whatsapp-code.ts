import { asList, fieldOf } from '../../core/json.js';

/**
 * The code in the components of a WhatsApp authentication template, if the body and the copy button have the same one of at most
 * 15 characters, and nothing else. Resellers take the components as Meta does.
 */
export function codeOfComponents(components: unknown): string | undefined {
  const [body, button, ...more] = asList(components);
  const isButton = fieldOf(button, 'type') === 'button' && fieldOf(button, 'sub_type') === 'url';
  const isFirst = String(fieldOf(button, 'index')) === '0';
  if (fieldOf(body, 'type') !== 'body' || !isButton || !isFirst || more.length > 0) return undefined;
  const [first, second] = [body, button].map((component) => {
    const [parameter, ...others] = asList(fieldOf(component, 'parameters'));
    const isText = others.length === 0 && fieldOf(parameter, 'type') === 'text';
    return isText ? fieldOf(parameter, 'text') : undefined;
  });
  return typeof first === 'string' && /^.{1,15}$/.test(first) && first === second ? first : undefined;
}
