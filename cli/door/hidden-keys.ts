/** `tg_<id>_<secret>`, also one that was cut or mistyped. */
const KEYS = /\btg_([a-z0-9-]{1,64})_[A-Za-z0-9_-]{4,}/g;

/** A text without the secrets of the API keys in it: an error quotes what was given, and that may be a key in a wrong place. */
export function withoutKeys(text: string): string {
  return text.replace(KEYS, 'tg_$1_...');
}
