import { DECIMALS } from './values.js';

/** Strings as they are, and numbers. */
const STRINGS_AND_NUMBERS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** What marks a number among the strings: the service has no text with this character. */
const MARK = '\0';

/** Whether a member of an object is a decimal; a name that means two things has a member beside it that only one has. */
function isDecimal(object: object, name: string): boolean {
  const beside = DECIMALS[name];
  return beside !== undefined && (beside === null || beside in object);
}

/** Reads JSON. Decimals become strings with the digits that were sent. */
export function parse<T>(text: string): T {
  const marked = text.replace(STRINGS_AND_NUMBERS, (found) => (found[0] === '"' ? found : `"\\u0000${found}"`));
  return JSON.parse(marked, function (this: object, name: string, value: unknown): unknown {
    if (typeof value !== 'string' || !value.startsWith(MARK)) return value;
    const digits = value.slice(MARK.length);
    return isDecimal(this, name) ? digits : Number(digits);
  }) as T;
}

/** Writes JSON. Decimals become numbers with the digits that they have. */
export function stringify(value: unknown): string {
  const marked = JSON.stringify(value, function (this: object, name: string, value: unknown): unknown {
    return typeof value === 'string' && NUMBER.test(value) && isDecimal(this, name) ? MARK + value : value;
  });
  return marked.replace(/"\\u0000([\d.eE+-]+)"/g, '$1');
}
