// @ts-check
/** Calls to the REST interface, the same ones that the command line makes. */

/** An answer that is not a success, with the stable code of the problem+json body. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   * @param {Record<string, unknown>} [facts] further members of the body
   */
  constructor(status, code, message, facts = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.facts = facts;
  }
}

/** @returns {string} the CSRF token that the page was rendered with */
export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
}

/** @returns {string} a key that is new for every write, so that a repeated one changes nothing twice */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {Response} answer
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
async function read(answer) {
  const json = (answer.headers.get("Content-Type") ?? "").includes("json");
  const body = json ? await answer.json() : null;
  if (answer.ok) return body;
  const text = body?.detail ?? body?.message ?? body?.title ?? `The server answered ${answer.status}.`;
  throw new ApiError(answer.status, body?.code ?? "error", String(text), body ?? {});
}

/**
 * @param {"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} method
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 * @param {string} [key] of a write that may have been sent before
 * @returns {Promise<any>} the JSON of the answer
 * @throws {ApiError}
 */
export async function call(method, path, body, key = newKey()) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (method !== "GET") {
    headers["X-CSRFToken"] = csrfToken();
    headers["Idempotency-Key"] = key;
  }
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      credentials: "same-origin",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, "unreachable", "The server can't be reached. Nothing was changed.");
  }
  return read(answer);
}
