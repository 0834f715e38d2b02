// Reads a list of {id, type, properties} from standard input and prints a list of what
// CloudFormation would not take: unknown types and properties, missing ones, values of a
// wrong kind or beyond those allowed. Intrinsic functions fit everywhere.
import { readFileSync } from 'node:fs';
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';

const db = loadAwsServiceSpecSync();
const types = new Map([...db.all('resource')].map(r => [r.cloudFormationType, r]));
const intrinsic = v => v !== null && typeof v === 'object' && !Array.isArray(v) && Object.keys(v).length === 1 && /^(Ref$|Fn::|Condition$)/.test(Object.keys(v)[0]);
const object = v => v !== null && typeof v === 'object' && !Array.isArray(v);

function faults(path, value, type) {
  if (intrinsic(value)) return [];
  const one = (bad, words) => (bad ? [`${path}: ${words}`] : []);
  switch (type.type) {
    case 'string':
      if (typeof value === 'object') return one(true, 'want a string');
      return one(type.allowedValues && !type.allowedValues.includes(value), `${JSON.stringify(value)} is not one of ${type.allowedValues}`);
    case 'number': case 'integer': return one(typeof value === 'object' || value === '' || Number.isNaN(Number(value)), `want a ${type.type}`);
    case 'boolean': return one(![true, false, 'true', 'false'].includes(value), 'want a boolean');
    case 'array': return Array.isArray(value) ? value.flatMap((v, i) => faults(`${path}/${i}`, v, type.element)) : one(true, 'want a list');
    case 'map': return object(value) ? Object.entries(value).flatMap(([k, v]) => faults(`${path}/${k}`, v, type.element)) : one(true, 'want a map');
    case 'ref': return object(value) ? members(path, value, db.get('typeDefinition', type.reference.$ref).properties) : one(true, 'want an object');
    case 'union': return one(type.types.every(t => faults(path, value, t).length > 0), 'fits no alternative');
  }
  return []; // JSON, dates, tags
}

function members(path, value, definitions) {
  const given = Object.entries(value).flatMap(([k, v]) => (definitions[k] ? faults(`${path}/${k}`, v, definitions[k].type) : [`${path}/${k}: unknown property`]));
  const missing = Object.entries(definitions).filter(([k, d]) => d.required && !(k in value)).map(([k]) => `${path}: ${k} is missing`);
  return [...given, ...missing];
}

console.log(JSON.stringify(JSON.parse(readFileSync(0)).flatMap(r => {
  const type = types.get(r.type);
  return type ? members(r.id, r.properties ?? {}, type.properties) : [`${r.id}: unknown type ${r.type}`];
})));
