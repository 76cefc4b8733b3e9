/** What Node says when a certificate is not one to trust; the names are OpenSSL's. */
const OF_CERTIFICATES: ReadonlySet<string> = new Set([
  ...['UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'CERT_SIGNATURE_FAILURE', 'CERT_CHAIN_TOO_LONG'],
  ...['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED', 'CERT_REVOKED', 'CERT_UNTRUSTED', 'CERT_REJECTED'],
  ...['INVALID_CA', 'INVALID_PURPOSE', 'PATH_LENGTH_EXCEEDED', 'HOSTNAME_MISMATCH', 'ERR_TLS_CERT_ALTNAME_INVALID'],
]);

/**
 * Whether an error says that the two sides cannot come to TLS with one another: one does not trust the other's certificate,
 * or speaks no TLS at all. To try again changes nothing. A connection that was merely lost is none of it.
 */
export function isTlsRefusal(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return OF_CERTIFICATES.has(error.code) || error.code.startsWith('ERR_SSL_') || error.code === 'EPROTO';
}
