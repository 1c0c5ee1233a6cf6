// SPDX-License-Identifier: Apache-2.0
/* zoom link: sends a person to Zoom and back, or links a Server-to-Server app. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/base/rand.h"
#include "agent/cli/zoom.h"

#define WAIT_MS  90000 /* longer than requests to Zoom may take */
#define AGAIN_MS 200

struct link {
	const char *consent;
	const char *server; /* account id; NULL: by browser */
	const char *org;
};

static bool parse(int argc, char **argv, struct link *link)
{
	*link = (struct link){ 0 };
	for (; argc >= 2; argc -= 2, argv += 2) {
		if (!strcmp(argv[0], "consent"))
			link->consent = argv[1];
		else if (!strcmp(argv[0], "server"))
			link->server = argv[1];
		else if (!strcmp(argv[0], "org"))
			link->org = argv[1];
		else
			return false;
	}
	return !argc;
}

/* Wait for the end of a link. @reply: of the request that began it; freed. */
static int wait_for(const struct fl_cli *cli, struct fl_json *reply, int code)
{
	const struct timespec again = { .tv_nsec = AGAIN_MS * 1000000L };
	const struct fl_json *data = fl_json_member(reply, "data");
	unsigned int waited = 0;

	while (code == FL_CTL_OK && !strcmp(fl_cli_text(data, "state"), "pending")) {
		struct fl_json *request = fl_cli_request("zoom link result");

		fl_json_add_u64(request, "id", fl_cli_number(data, "id"));
		fl_json_free(reply);
		reply = NULL;
		nanosleep(&again, NULL);
		waited += AGAIN_MS;
		if (waited > WAIT_MS) {
			fl_json_free(request);
			fprintf(stderr, "fairlead: Zoom does not answer; `fairlead zoom accounts` "
					"shows whether it did in the end\n");
			return FL_CTL_NO;
		}
		code = fl_client_ask(cli->socket, request, &reply);
		fl_json_free(request);
		data = fl_json_member(reply, "data");
	}
	if (code == FL_CTL_OK && cli->json)
		fl_cli_print_json(data);
	else if (code == FL_CTL_OK)
		printf("account %s: %s\n", fl_cli_text(data, "account"),
		       fl_cli_text(data, "words"));
	fl_json_free(reply);
	return code;
}

static struct fl_json *new_request(const struct link *link)
{
	struct fl_json *request = fl_cli_request("zoom link");

	fl_json_add_string(request, "consent", link->consent);
	if (link->org)
		fl_json_add_string(request, "org", link->org);
	return request;
}

static int link_server(const struct fl_cli *cli, const struct link *link)
{
	struct fl_json *request = new_request(link), *reply;
	int code;

	fl_json_add_string(request, "account-id", link->server);
	code = fl_client_ask(cli->socket, request, &reply);
	fl_json_free(request);
	return wait_for(cli, reply, code);
}

/* --- by browser ---------------------------------------------------------------------------------
 */

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* A value of a query, in place. */
static void decode(char *text)
{
	char *to = text;

	for (; *text; text++) {
		int high, low;

		if (*text == '%' && (high = hex_digit(text[1])) >= 0 &&
		    (low = hex_digit(text[2])) >= 0 && (high || low)) {
			*to++ = (char)(high << 4 | low);
			text += 2;
		} else {
			*to++ = *text == '+' ? ' ' : *text;
		}
	}
	*to = '\0';
}

/* What the address that the browser came back to has in it. */
static struct fl_json *request_of(char *address, const char *session)
{
	static const struct {
		const char *parameter, *member;
	} names[] = { { "state", "state" },
		      { "code", "code" },
		      { "error", "error" },
		      { "error_description", "description" } };
	struct fl_json *request = fl_cli_request("zoom link back");
	char *query = strchr(address, '?'), *part;

	fl_json_add_string(request, "session", session);
	address[strcspn(address, "#\r\n")] = '\0';
	query = query ? query + 1 : address;
	while ((part = strsep(&query, "&"))) {
		char *value = strchr(part, '=');

		if (!value)
			continue;
		*value++ = '\0';
		decode(value);
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
			if (!strcmp(part, names[i].parameter))
				fl_json_add_string(request, names[i].member, value);
		}
	}
	return request;
}

static int come_back(const struct fl_cli *cli, const char *session)
{
	struct fl_json *request, *reply;
	char *line = NULL;
	size_t room = 0;
	int code;

	if (getline(&line, &room, stdin) <= 0) {
		fprintf(stderr, "fairlead: nothing was pasted, nothing is linked\n");
		free(line);
		return FL_CTL_NO;
	}
	request = request_of(line, session);
	explicit_bzero(line, room); /* a code is in it */
	free(line);
	code = fl_client_ask(cli->socket, request, &reply);
	fl_json_free(request);
	return wait_for(cli, reply, code);
}

static int link_browser(const struct fl_cli *cli, const struct link *link)
{
	struct fl_json *request = new_request(link), *reply;
	const struct fl_json *data;
	char session[33], url[2100];
	int code;

	snprintf(session, sizeof(session), "%016" PRIx64 "%016" PRIx64, fl_rand_u64(),
		 fl_rand_u64());
	fl_json_add_string(request, "session", session);
	code = fl_client_ask(cli->socket, request, &reply);
	fl_json_free(request);
	if (code != FL_CTL_OK) {
		fl_json_free(reply);
		return code;
	}
	data = fl_json_member(reply, "data");
	fprintf(stderr,
		"Open this address in a browser, sign in to Zoom as an administrator (not with a "
		"personal account), and consent:\n\n");
	snprintf(url, sizeof(url), "%s", fl_json_get_string(fl_json_member(data, "url")));
	printf("%s\n", fl_text_clean(url));
	fflush(stdout);
	fprintf(stderr,
		"\nZoom then sends the browser to %s. Paste the whole address that it shows here, "
		"whether or not the page loads, within ten minutes:\n> ",
		fl_cli_text(data, "redirect-uri"));
	fl_json_free(reply);
	return come_back(cli, session);
}

int fl_cmd_zoom_link(const struct fl_cli *cli, int argc, char **argv)
{
	struct link link;

	if (!parse(argc, argv, &link))
		return fl_cli_usage("zoom link");
	if (!link.consent) {
		fprintf(stderr,
			"fairlead: Zoom insights are off for an organisation until somebody opts in: "
			"say who does, with \"consent PERSON\"; it is kept with the link\n");
		return fl_cli_usage("zoom link");
	}
	if (fl_rand_init() < 0) {
		fprintf(stderr, "fairlead: the system has no randomness\n");
		return FL_CTL_NO;
	}
	return link.server ? link_server(cli, &link) : link_browser(cli, &link);
}
