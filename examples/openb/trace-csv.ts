/** One row of the trace's pod list, as it stands there; times in whole seconds since the start of the trace. */
export interface PodRow {
  readonly line: number;
  readonly name: string;
  readonly numGpu: number;
  readonly gpuMilli: number;
  readonly gpuSpec: string;
  readonly qos: string;
  readonly creationSeconds: number;
  readonly deletionSeconds: number;
  /** Absent of a pod that was never scheduled (phase Pending). */
  readonly scheduledSeconds: number | undefined;
}

/** A CSV that cannot be read: the message names the file, the line, and what to do about it. */
export class TraceError extends Error {}

const COLUMNS = [
  'name',
  'cpu_milli',
  'memory_mib',
  'num_gpu',
  'gpu_milli',
  'gpu_spec',
  'qos',
  'pod_phase',
  'creation_time',
  'deletion_time',
  'scheduled_time',
] as const;
type Column = (typeof COLUMNS)[number];

const ROWS_MAX = 1_000_000;
const GPUS_MAX = 1024;
/** 10 years: beyond it a time is a slip, not a trace. */
const SECONDS_MAX = 315_360_000;
const NAME = /^[A-Za-z0-9._:-]{1,100}$/;

/**
 * Reads a pod list (header line, then a row a line, no quoting: the trace has none).
 * Columns may stand in any order; all of the trace's eleven must be there.
 * @param text the file's content; @param file its name, for messages only
 * @throws TraceError at the first row that is not as the trace's README says, with its line
 */
export function parsePods(text: string, file: string): PodRow[] {
  const lines = text.split(/\r?\n/);
  const header = (lines[0] ?? '').split(',');
  const indexes = new Map<string, number>(header.map((name, index) => [name.trim(), index]));
  const missing = COLUMNS.filter((column) => !indexes.has(column));
  if (missing.length > 0) {
    throw new TraceError(
      `${file}, line 1: no column ${missing.join(', ')}; give a pod list of cluster-trace-gpu-v2023, with its header`,
    );
  }
  if (lines.length > ROWS_MAX) throw new TraceError(`${file}: more than ${ROWS_MAX} rows; split the file`);

  const rows: PodRow[] = [];
  const lineOfName = new Map<string, number>();
  for (const [index, text] of lines.entries()) {
    if (index === 0 || text === '') continue;
    const row = parseRow(text, { file, line: index + 1, width: header.length, indexes });
    const earlier = lineOfName.get(row.name);
    if (earlier !== undefined) fail({ file, line: row.line }, `pod ${row.name} is on line ${earlier} already`);
    lineOfName.set(row.name, row.line);
    rows.push(row);
  }
  return rows;
}

interface Place {
  readonly file: string;
  readonly line: number;
}

function parseRow(
  text: string,
  place: Place & { readonly width: number; readonly indexes: ReadonlyMap<string, number> },
): PodRow {
  const cells = text.split(',');
  if (cells.length !== place.width) fail(place, `${cells.length} cells where the header has ${place.width}`);
  const cell = (column: Column): string => (cells[place.indexes.get(column) ?? -1] ?? '').trim();
  const integer = (column: Column, max: number): number => {
    const value = cell(column);
    if (!/^\d{1,12}(\.0)?$/.test(value) || Number(value) > max) {
      fail(place, `${column} is ${JSON.stringify(value)}, not an integer from 0 to ${max}`);
    }
    return Number(value);
  };

  const row: PodRow = {
    line: place.line,
    name: cell('name'),
    numGpu: integer('num_gpu', GPUS_MAX),
    gpuMilli: integer('gpu_milli', 1000),
    gpuSpec: cell('gpu_spec'),
    qos: cell('qos'),
    creationSeconds: integer('creation_time', SECONDS_MAX),
    deletionSeconds: integer('deletion_time', SECONDS_MAX),
    scheduledSeconds: cell('scheduled_time') === '' ? undefined : integer('scheduled_time', SECONDS_MAX),
  };
  if (!NAME.test(row.name)) fail(place, `name is ${JSON.stringify(row.name)}, not an id of letters, digits and ._:-`);
  if (row.deletionSeconds < (row.scheduledSeconds ?? row.creationSeconds)) {
    fail(place, `deletion_time ${row.deletionSeconds} lies before the pod began`);
  }
  return row;
}

function fail(place: Place, what: string): never {
  throw new TraceError(`${place.file}, line ${place.line}: ${what}`);
}
