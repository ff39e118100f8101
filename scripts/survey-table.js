/** The survey as text: a row a file, then the sums. */

const MARKS = { error: '!!', warning: '!', note: '' };

/** Lines of the table; `leftOut` files were no dumps by their name. */
export function surveyTable(rows, leftOut) {
  const totals = new Map();
  const width = Math.max(4, ...rows.map(({ name }) => name.length));
  const lines = [`${'file'.padEnd(width)}  functions    ms  findings`];
  for (const { name, functions, milliseconds, findings, refused, crashed } of rows) {
    const head = name.padEnd(width);
    if (refused !== undefined) lines.push(`${head}          -     -  refused: ${refused}`);
    else if (crashed !== undefined) lines.push(`${head}          -     -  CRASHED: ${crashed}`);
    else {
      const words = wordsOf(findings, totals);
      lines.push(`${head}  ${`${functions}`.padStart(9)}  ${milliseconds.toFixed(0).padStart(4)}  ${words}`.trimEnd());
    }
  }
  return [...lines, '', ...sums(rows, leftOut), ...totalLines(totals)];
}

/** `ACS-REDIR-SWITCH!! x2, MPS!`: each kind once; adds them to the sums, by finding and by file. */
function wordsOf(findings, totals) {
  const counts = new Map();
  for (const { id, severity, sure } of findings) {
    const key = `${id}${sure === 'unknown' && severity === 'note' ? '?' : MARKS[severity]}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  for (const [key, count] of counts) {
    const sum = totals.get(key) ?? { findings: 0, files: 0 };
    totals.set(key, { findings: sum.findings + count, files: sum.files + 1 });
  }
  return [...counts].map(([key, count]) => (count === 1 ? key : `${key} x${count}`)).join(', ');
}

function sums(rows, leftOut) {
  const refused = rows.filter((row) => row.refused !== undefined).length;
  const crashed = rows.filter((row) => row.crashed !== undefined).length;
  const functions = rows.reduce((sum, row) => sum + (row.functions ?? 0), 0);
  const words = [`${rows.length} files`, `${refused} refused`, `${functions} functions`];
  if (crashed > 0) words.push(`${crashed} CRASHED`);
  if (leftOut > 0) words.push(`${leftOut} left out by name (json, md, xml, drawings of lspci -t)`);
  return [`${words.join(', ')}.`, '!! error, ! warning, ? not in the capture'];
}

function totalLines(totals) {
  const sorted = [...totals].sort((a, b) => b[1].findings - a[1].findings || (a[0] < b[0] ? -1 : 1));
  const width = Math.max(0, ...sorted.map(([key]) => key.length));
  return sorted.map(
    ([key, { findings, files }]) =>
      `  ${key.padEnd(width)}  ${`${findings}`.padStart(4)} in ${files} ${files === 1 ? 'file' : 'files'}`,
  );
}
