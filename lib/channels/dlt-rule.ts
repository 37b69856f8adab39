import type Joi from 'joi';
import { isObject } from '../core/json.js';
import { objectOf, tested } from '../core/option-rules.js';
import { DLT_ID, type Dlt } from './dlt.js';
import { secretRule } from './provider.js';

/** Whether a value is an id of a text, or ids by language. */
function isContentId(value: unknown): boolean {
  const ids = isObject(value) ? Object.values(value) : [value];
  const areIds = ids.every((id) => typeof id === 'string' && DLT_ID.test(id));
  return areIds && (!isObject(value) || value['default'] !== undefined);
}

/** The rule of the option `dlt`. Not in dlt.ts, whose types are published: they would need joi. */
export const dltRule = (): Joi.ObjectSchema<Dlt> =>
  objectOf<Dlt>('{ entityId, contentId } of DLT, or be left out', {
    entityId: secretRule("your organisation's id at DLT").required(),
    contentId: tested(
      "the registered text's id, or ids by language with a default, or be left out",
      isContentId,
    ),
  });
