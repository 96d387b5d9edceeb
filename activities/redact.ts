const urlCredentials = /([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>@]*:[^\s"'<>]*@/gi;
const namedSecret = /\b(password|passwd|pwd|secret|token|api[-_]?key)(["']?\s*[=:]\s*["']?)[^\s"',;&)]+/gi;

/** Takes secrets out of text that leaves the worker: histories, the ledger and logs are read by many. */
export function redact(text: string): string {
  return text.replace(urlCredentials, '$1***@').replace(namedSecret, '$1$2***');
}
