/** A string literal of ClickHouse's SQL. */
export function stringLiteral(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** A quoted identifier of ClickHouse's SQL. */
export function quotedIdentifier(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

/** Quoted text, comments and the separator: all that a splitter has to see. Unclosed ones run to the end. */
const TOKEN = /'(?:\\.|''|[^'\\])*'?|"(?:\\.|[^"\\])*"?|`(?:\\.|[^`\\])*`?|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|;/g;

/** Splits a script at the `;` that stand outside quotes and comments; comments are dropped, as are empty statements. */
export function splitStatements(script: string): readonly string[] {
  const statements: string[] = [];
  let statement = '';
  let from = 0;
  for (const match of script.matchAll(TOKEN)) {
    const token = match[0];
    const isComment = token.startsWith('--') || token.startsWith('/*');
    if (!isComment && token !== ';') continue;
    statement += script.slice(from, match.index);
    from = match.index + token.length;
    if (token !== ';') continue;
    statements.push(statement.trim());
    statement = '';
  }
  statements.push((statement + script.slice(from)).trim());
  return statements.filter((text) => text !== '');
}

/** The statement's first word in capitals, after white space and comments; '' if there is none. */
export function leadingKeyword(sql: string): string {
  return /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/|\()*([A-Za-z]+)/.exec(sql)?.[1]?.toUpperCase() ?? '';
}
