import ts from 'typescript';

const TITLED = new Set(['test', 'it', 'describe', 'bench']);
/** `R2: ...` or `L1 L5: ...`, in a title or in a table that titles are made of. */
const NAMES = /^((?:[A-Z]\d{1,2}|[KX])(?:[ ,]+(?:[A-Z]\d{1,2}|[KX]))*)\b[:,]/;

/** The ids of SPEC's rules, in its order: all of U, E, R, C, B, N, F and L, and the sections K and X. */
export function ruleIds(spec: string): string[] {
  const named = [...spec.matchAll(/\b[UERCBNFL]\d{1,2}\b/g)].map(([id]) => id);
  const highest = new Map<string, number>();
  for (const id of named) {
    const letter = id.slice(0, 1);
    highest.set(letter, Math.max(highest.get(letter) ?? 0, Number(id.slice(1))));
  }
  const ids = [...highest].flatMap(([letter, last]) => Array.from({ length: last }, (_, i) => `${letter}${i + 1}`));
  const sections = [...spec.matchAll(/^## ([KX])\. /gm)].map((found) => found[1] ?? '');
  return [...ids, ...sections].toSorted();
}

/** The rules that a test file names, in titles and in the tables that titles are made of. */
export function namedRules(path: string, content: string): Set<string> {
  const found = new Set<string>();
  const file = ts.createSourceFile(path, content, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) addIds(found, node.text);
    ts.forEachChild(node, visit);
  };
  const looking = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && TITLED.has(rootName(node.expression))) visit(node);
    else ts.forEachChild(node, looking);
  };
  looking(file);
  return found;
}

function addIds(found: Set<string>, title: string): void {
  const ids = NAMES.exec(title)?.[1];
  for (const id of ids?.split(/[ ,]+/) ?? []) found.add(id);
}

/** `test` of `test(...)`, `test.each(table)(...)` and `describe.sequential(...)`. */
function rootName(node: ts.Expression): string {
  if (ts.isIdentifier(node)) return node.text;
  if (ts.isPropertyAccessExpression(node) || ts.isCallExpression(node)) return rootName(node.expression);
  return '';
}
