import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A key and the certificate for it, as PEM files. `bundle` has both. */
export interface Identity {
  readonly key: string;
  readonly cert: string;
  readonly bundle: string;
}

/** An authority of the test's own. */
export interface Authority {
  /** Its certificate, a PEM file. */
  readonly ca: string;
  /** Its certificate as text. */
  readonly pem: string;
  /** Issues a certificate. @param of `days` below 0: it has expired; `host`: instead of loopback */
  issue(name: string, of?: { readonly days?: number; readonly host?: string }): Identity;
}

const DAYS = 2;
/** Who connects to 127.0.0.1 checks that the certificate says so. */
const LOOPBACK = 'IP:127.0.0.1,DNS:localhost';
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Makes an authority whose files are in `folder`. Needs the program openssl. */
export function makeAuthority(folder: string, name: string): Authority {
  mkdirSync(folder, { recursive: true });
  const at = (file: string): string => join(folder, file);
  const ca = at(`${name}.pem`);
  const caKey = at(`${name}.key`);
  openssl(['req', '-x509', ...NEW_KEY, '-days', `${DAYS}`, '-subj', `/CN=${name}`, '-keyout', caKey, '-out', ca]);
  return {
    ca,
    pem: readFileSync(ca, 'utf8'),
    issue(subject, { days = DAYS, host } = {}) {
      const [key, request, cert, bundle, extensions] = ['key', 'csr', 'pem', 'bundle.pem', 'ext'].map((suffix) =>
        at(`${name}-${subject}.${suffix}`),
      ) as [string, string, string, string, string];
      openssl(['req', ...NEW_KEY, '-subj', `/CN=${subject}`, '-keyout', key, '-out', request]);
      const names = host === undefined ? LOOPBACK : `DNS:${host}`;
      writeFileSync(extensions, `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`);
      const signed = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', `${days}`, '-extfile', extensions];
      openssl(['x509', '-req', '-in', request, ...signed, '-out', cert]);
      writeFileSync(bundle, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'));
      return { key, cert, bundle };
    },
  };
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 60_000 });
}
