// One call by POST, for what comes before there is a socket.

/**
 * @param {string} method
 * @param {object} params
 * @param {string} [token]
 * @returns {Promise<{result?: any, error?: {message: string, data?: {code: string}}}>}
 */
export async function post(method, params, token) {
  const answer = await fetch("/rpc", {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    cache: "no-store",
    credentials: "omit",
  });
  return answer.json();
}
