import ts from 'typescript';

/** Where the environment may be read: it becomes config there and is passed down. */
const READS_ENVIRONMENT = /^(services\/[^/]+\/main\.ts|(cli|scripts|test)\/.*)$/;
/** Where a value may depend on its arguments only. */
const PURE = /^services\/([^/]+\/core|shared(?!\/runtime\/))\//;
const TEST = /^test\//;
const SOURCE = /\.(ts|mjs|cjs|js)$/;
const IMPURE_NAMES = new Set([
  ...['process', 'console', 'performance', 'crypto', 'fetch'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
]);
const CHANCE = /^(random\w*|getRandomValues|generateKey\w*)$/;
/** `TODO(0007)` names the decision record that put the work off. */
const PUT_OFF = /\b(TODO|FIXME|XXX|HACK)\b(?!\(\d{4}\))/;
const MACHINE_PATH = /(?:^|[\s"'`(=])\/(?:home|root|Users|work)\/\w/m;

/**
 * The house rules that a file breaks, one sentence each.
 *
 * @param path from the repository's root, with `/`
 */
export function breaches(path: string, content: string): string[] {
  const found: string[] = [];
  for (const [index, line] of content.split('\n').entries()) {
    const at = `${path}:${index + 1}`;
    if (PUT_OFF.test(line)) found.push(`${at}: work put off without the number of a decision`);
    if (MACHINE_PATH.test(line)) found.push(`${at}: a path of one machine`);
  }
  if (SOURCE.test(path)) found.push(...sourceBreaches(path, content));
  return found;
}

function sourceBreaches(path: string, content: string): string[] {
  const found: string[] = [];
  const file = ts.createSourceFile(path, content, ts.ScriptTarget.Latest, true);
  const tell = (node: ts.Node, what: string) => {
    found.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${what}`);
  };
  const visit = (node: ts.Node): void => {
    if (isMember(node, 'process', 'env') && !READS_ENVIRONMENT.test(path))
      tell(node, 'reads the environment: only main.ts and cli/ do, and pass config down');
    if (PURE.test(path)) tellImpure(node, tell);
    if (TEST.test(path)) {
      if (isMember(node, 'Math', 'random')) tell(node, 'chance in a test: take a seed');
      if (isClock(node)) tell(node, 'the moment in a test: name the instant');
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function tellImpure(node: ts.Node, tell: (node: ts.Node, what: string) => void): void {
  if (isMember(node, 'Date', 'now') || isClock(node)) tell(node, 'reads the clock: time is an input');
  if (isNewDate(node)) tell(node, 'uses Date: services/shared/time.ts has the calendar, without a time zone');
  if (isMember(node, 'Math', 'random')) tell(node, 'chance: ids are made of facts');
  if (!ts.isIdentifier(node) || isName(node)) return;
  if (IMPURE_NAMES.has(node.text)) tell(node, `uses ${node.text}: a core touches nothing`);
  if (CHANCE.test(node.text)) tell(node, `chance (${node.text}): ids are made of facts`);
}

/** `new Date()` or `Date()`: the moment. */
function isClock(node: ts.Node): boolean {
  if (ts.isNewExpression(node)) return isNewDate(node) && (node.arguments ?? []).length === 0;
  return ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'Date';
}

function isNewDate(node: ts.Node): node is ts.NewExpression {
  return ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'Date';
}

/** `object.member`, also as `object['member']` and through `globalThis`. */
function isMember(node: ts.Node, object: string, name: string): boolean {
  if (ts.isPropertyAccessExpression(node)) return node.name.text === name && endsIn(node.expression, object);
  if (!ts.isElementAccessExpression(node)) return false;
  const key = node.argumentExpression;
  return ts.isStringLiteralLike(key) && key.text === name && endsIn(node.expression, object);
}

function endsIn(node: ts.Expression, name: string): boolean {
  if (ts.isIdentifier(node)) return node.text === name;
  return ts.isPropertyAccessExpression(node) && node.name.text === name;
}

/** Whether the identifier only names a member, a parameter or a local: not a use of the global of that name. */
function isName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) {
    const global = ts.isIdentifier(parent.expression) && /^(globalThis|crypto)$/.test(parent.expression.text);
    return parent.name === node && !global;
  }
  return (
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    ts.isPropertySignature(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isMethodDeclaration(parent)
  );
}
