import { closeSync, openSync, readSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../folder.ts';
import { REPLAY_FILES, type ReplayFile, type ReplaySink, type Summary } from './fold.ts';

const BLOCK_BYTES = 1 << 19;
const NEWLINE = 0x0a;

/** Writes the rows of a replay to files in a folder, which appear under their names only when all are complete. */
export class FolderSink implements ReplaySink {
  readonly #folder: string;
  readonly #files: ReadonlyMap<ReplayFile, RowFile>;
  readonly #held: RowFile;
  /** Of each account, where its held invoices stand: position and length in bytes, flat. */
  readonly #places = new Map<string, number[]>();

  constructor(folder: string) {
    makeFolder(folder);
    this.#folder = folder;
    this.#files = new Map(REPLAY_FILES.map((file) => [file, new RowFile(join(folder, `${file}.ndjson.part`))]));
    this.#held = new RowFile(join(folder, 'held-invoices.part'));
  }

  row(file: ReplayFile, json: string): void {
    this.#files.get(file)?.write(json);
  }

  holdInvoice(accountId: string, json: string): void {
    const places = this.#places.get(accountId) ?? [];
    this.#places.set(accountId, places);
    places.push(this.#held.bytes, Buffer.byteLength(json));
    this.#held.write(json);
  }

  *heldInvoices(accountId: string): Iterable<string> {
    const places = this.#places.get(accountId) ?? [];
    for (let index = 0; index < places.length; index += 2) {
      yield this.#held.read(places[index] ?? 0, places[index + 1] ?? 0);
    }
  }

  /** Writes the summary and gives every file its name. */
  complete(summary: Summary): void {
    for (const file of this.#files.values()) file.close();
    writeFileSync(join(this.#folder, 'summary.json'), `${JSON.stringify(summary)}\n`);
    for (const name of REPLAY_FILES) {
      renameSync(join(this.#folder, `${name}.ndjson.part`), join(this.#folder, `${name}.ndjson`));
    }
    this.#held.remove();
  }

  /** Leaves nothing half-written behind. */
  abandon(): void {
    for (const file of this.#files.values()) file.remove();
    this.#held.remove();
  }
}

/** A file of rows, written in large blocks. */
class RowFile {
  readonly #path: string;
  readonly #descriptor: number;
  #block = Buffer.allocUnsafe(BLOCK_BYTES);
  #filled = 0;
  #written = 0;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSync(path, 'w+');
  }

  /** The position at which the next row will stand. */
  get bytes(): number {
    return this.#written + this.#filled;
  }

  write(json: string): void {
    // A character takes at most three bytes of UTF-8; encoding in place spares joining rows and copying them again.
    const needed = json.length * 3 + 1;
    if (this.#block.length - this.#filled < needed) this.#flush();
    if (this.#block.length < needed) this.#block = Buffer.allocUnsafe(needed);
    this.#filled += this.#block.write(json, this.#filled, 'utf8');
    this.#block[this.#filled] = NEWLINE;
    this.#filled += 1;
  }

  read(position: number, length: number): string {
    this.#flush();
    const bytes = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      const read = readSync(this.#descriptor, bytes, done, length - done, position + done);
      if (read === 0) throw new Error(`${this.#path} ends at ${position + done}; something else has cut it`);
      done += read;
    }
    return bytes.toString('utf8');
  }

  close(): void {
    if (this.#closed) return;
    this.#flush();
    closeSync(this.#descriptor);
    this.#closed = true;
  }

  remove(): void {
    this.close();
    rmSync(this.#path, { force: true });
  }

  #flush(): void {
    for (let done = 0; done < this.#filled; ) {
      done += writeSync(this.#descriptor, this.#block, done, this.#filled - done, this.#written + done);
    }
    this.#written += this.#filled;
    this.#filled = 0;
  }
}
