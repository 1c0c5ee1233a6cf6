// SPDX-License-Identifier: Apache-2.0
// The server's answers. One session a browser; its token goes with everything that changes something.

export class ApiError extends Error {
	constructor(status, message)
	{
		super(message);
		this.status = status;
	}
}

let session = null;

async function read(response)
{
	const body = await response.json().catch(() => ({}));

	if (!response.ok)
		throw new ApiError(response.status, body.error ?? `The server answers ${response.status}.`);
	return body;
}

async function request(path, options)
{
	let response;

	try {
		response = await fetch(path, { credentials: "same-origin", ...options });
	} catch (error) {
		if (error.name === "AbortError")
			throw error;
		throw new ApiError(0, "The server cannot be reached. Is fairlead-insightd running?");
	}
	return read(response);
}

/** {csrf, authorised} */
export async function open()
{
	session = await request("/api/session");
	return session;
}

/** GET /api/NAME with parameters; null ones are left out. */
export function get(name, params = {}, signal = undefined)
{
	const query = new URLSearchParams();

	for (const [key, value] of Object.entries(params))
		if (value !== null && value !== undefined && value !== "")
			query.set(key, value);
	return request(`/api/${name}?${query}`, { signal });
}

/** POST an object; a session that the server forgot is made anew, once. */
export async function post(name, body, again = true)
{
	if (!session)
		await open();
	try {
		return await request(`/api/${name}`, {
			method: "POST",
			headers: { "Content-Type": "application/json", "X-CSRF-Token": session.csrf },
			body: JSON.stringify(body),
		});
	} catch (error) {
		if (error.status !== 403 || !again)
			throw error;
		await open();
		return post(name, body, false);
	}
}
