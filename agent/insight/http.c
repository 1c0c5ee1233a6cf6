// SPDX-License-Identifier: Apache-2.0
/* The HTTP server: see http.h. libmicrohttpd owns the connections, the loop tells it when to work.
 */
#include "agent/insight/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/monotime.h"
#include "agent/codec/json.h"
#include "agent/insight/http_internal.h"

#define CONNECTIONS_MAX 128
#define PER_HOST_MAX    32 /* of those, from one address; a browser opens six */
#define TIMEOUT_S       30
#define DRAIN_MAX       (1 << 20) /* bytes that are too many, read to be able to say so */
#define PEM_MAX         (256 << 10)

/* Nothing but what this server itself delivers, and no page around it (CSP level 3). */
#define POLICY                                                                                     \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "                \
	"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

struct fl_http {
	struct MHD_Daemon *daemon;
	sd_event_source *ready;
	sd_event_source *timer;
	struct fl_http_socket socket;
	struct fl_http_guard guard;
	char *open_path;
	char *cert;
	char *key;
	fl_http_fn fn;
	void *ctx;
};

/* A request while it comes in. */
struct incoming {
	char *body;
	size_t len;
	size_t drained; /* and thrown away */
	bool too_big;
};

const char *fl_http_query(const struct fl_http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *fl_http_header(const struct fl_http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* --- answers ------------------------------------------------------------------------------------
 */

static void add_headers(const struct fl_http *http, const struct fl_http_reply *reply,
			struct MHD_Response *to)
{
	MHD_add_response_header(to, "Content-Security-Policy", POLICY);
	MHD_add_response_header(to, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(to, "X-Frame-Options", "DENY");
	MHD_add_response_header(to, "Referrer-Policy", "no-referrer");
	MHD_add_response_header(to, "Cross-Origin-Opener-Policy", "same-origin");
	MHD_add_response_header(to, "Cross-Origin-Resource-Policy", "same-origin");
	if (http->cert)
		MHD_add_response_header(to, "Strict-Transport-Security", "max-age=31536000");
	MHD_add_response_header(to, "Cache-Control", reply->etag ? "no-cache" : "no-store");
	if (reply->etag)
		MHD_add_response_header(to, "ETag", reply->etag);
	if (reply->location[0])
		MHD_add_response_header(to, "Location", reply->location);
	MHD_add_response_header(to, "Content-Type",
				reply->type ? reply->type : "application/json; charset=utf-8");
}

/* Takes reply->body. */
static enum MHD_Result send_reply(const struct fl_http *http, struct MHD_Connection *connection,
				  struct fl_http_reply *reply, const char *cookie)
{
	const char *known =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "If-None-Match");
	union {
		const char *kept;
		char *body;
	} fixed = { .kept = reply->fixed };
	struct MHD_Response *response;
	enum MHD_Result result;

	if (reply->etag && known && !strcmp(known, reply->etag)) {
		reply->status = MHD_HTTP_NOT_MODIFIED;
		reply->len = 0;
	}
	response = MHD_create_response_from_buffer(
		reply->len, reply->body ? reply->body : fixed.body,
		reply->body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (!response) {
		free(reply->body);
		return MHD_NO;
	}
	add_headers(http, reply, response);
	if (cookie)
		MHD_add_response_header(response, "Set-Cookie", cookie);
	result = MHD_queue_response(connection, reply->status ? reply->status : 404, response);
	MHD_destroy_response(response);
	return result;
}

static void set_json(struct fl_http_reply *reply, unsigned int status, struct fl_json *json)
{
	reply->status = status;
	reply->body = fl_json_print(json, FL_JSON_COMPACT);
	reply->len = reply->body ? strlen(reply->body) : 0;
	fl_json_free(json);
}

static void set_error(struct fl_http_reply *reply, unsigned int status, const char *words)
{
	struct fl_json *json = fl_json_new_object();

	fl_json_add_string(json, "error", words);
	set_json(reply, status, json);
}

/* --- sessions -----------------------------------------------------------------------------------
 */

/* Who asks, and whether a token is wanted; makes a session if there is none. */
static void answer_session(struct fl_http *http, struct fl_http_session *s,
			   struct fl_http_reply *reply, char *cookie, size_t size)
{
	struct fl_json *json = fl_json_new_object();

	if (!s) {
		s = fl_http_guard_new_session(&http->guard);
		/* Lax: the way back from Zoom's consent page must bring it along. */
		snprintf(cookie, size, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s", FL_HTTP_COOKIE,
			 s->id, http->cert ? "; Secure" : "");
	}
	fl_json_add_string(json, "csrf", s->csrf);
	fl_json_add_bool(json, "authorised", s->authorised);
	set_json(reply, 200, json);
}

static void answer_login(struct fl_http *http, struct fl_http_session *s,
			 const struct fl_http_request *request, struct fl_http_reply *reply)
{
	uint64_t now_ms = fl_mono_now().ns / FL_NS_PER_MS;
	struct fl_json_error why;
	struct fl_json *json = NULL;
	const char *token;
	int err = -EACCES;

	if (!fl_json_parse(request->body, request->body_len, &json, &why)) {
		token = fl_json_get_string(fl_json_member(json, "token"));
		if (token)
			err = fl_http_guard_check(&http->guard, token, strlen(token), now_ms);
	}
	fl_json_free(json);
	if (err == -EAGAIN) {
		set_error(reply, 429, "Too many wrong tokens. Try again in a minute.");
	} else if (err) {
		set_error(reply, 401, "That is not the token.");
	} else {
		s->authorised = true;
		set_json(reply, 200, fl_json_new_object());
	}
}

/* --- requests -----------------------------------------------------------------------------------
 */

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* May this change something? It must come from our own page. */
static bool is_forged(const struct fl_http_request *request, const struct fl_http_session *s)
{
	const char *csrf = fl_http_header(request, "X-CSRF-Token");
	const char *from = fl_http_header(request, "Sec-Fetch-Site");

	return !s || !csrf || !fl_http_equal(csrf, strlen(csrf), s->csrf) ||
	       (from && strcmp(from, "same-origin") != 0);
}

static void dispatch(struct fl_http *http, struct fl_http_request *request,
		     struct fl_http_reply *reply, char *cookie, size_t size)
{
	struct fl_http_session *s =
		fl_http_guard_find(&http->guard, fl_http_header(request, "Cookie"));
	bool bearer = fl_http_guard_bearer(&http->guard, fl_http_header(request, "Authorization"),
					   fl_mono_now().ns / FL_NS_PER_MS);

	request->session = s ? s->id : "";
	request->authorised = !http->guard.token || bearer || (s && s->authorised);
	if (!strcmp(request->path, "/api/session"))
		answer_session(http, s, reply, cookie, size);
	else if (!strcmp(request->method, "POST") && !bearer && is_forged(request, s))
		set_error(reply, 403, "Not from this page. Load it again.");
	else if (!strcmp(request->path, "/api/login") && s)
		answer_login(http, s, request, reply);
	else if (starts(request->path, "/api/") && !request->authorised)
		set_error(reply, 401, "The token is needed.");
	else
		http->fn(http->ctx, request, reply);
}

static enum MHD_Result answer(struct fl_http *http, struct MHD_Connection *connection,
			      struct fl_http_request *request, const struct incoming *in)
{
	struct fl_http_reply reply = { 0 };
	char cookie[128] = "";

	if (in->too_big)
		set_error(&reply, 413, "Too long.");
	else if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "POST") != 0)
		set_error(&reply, 405, "GET and POST only.");
	else if (http->open_path && !strcmp(request->path, http->open_path))
		http->fn(http->ctx, request, &reply);
	else if (!fl_http_guard_host(&http->guard, fl_http_header(request, "Host")))
		set_error(&reply, 421,
			  "This server has no such name: see web/host-names of its configuration.");
	else
		dispatch(http, request, &reply, cookie, sizeof(cookie));
	return send_reply(http, connection, &reply, cookie[0] ? cookie : NULL);
}

static bool keep_body(struct incoming *in, const char *data, size_t len)
{
	char *grown;

	if (in->too_big || in->len + len > FL_HTTP_BODY_MAX) {
		in->too_big = true;
		in->drained += len;
		return in->drained <= DRAIN_MAX;
	}
	grown = realloc(in->body, in->len + len + 1);
	if (!grown)
		return false;
	memcpy(grown + in->len, data, len);
	in->body = grown;
	in->len += len;
	in->body[in->len] = '\0';
	return true;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *len, void **state)
{
	struct incoming *in = *state;
	struct fl_http_request request = { .path = url, .connection = connection, .session = "" };

	(void)version;
	if (!in) {
		*state = calloc(1, sizeof(*in));
		return *state ? MHD_YES : MHD_NO;
	}
	if (*len) {
		size_t n = *len;

		*len = 0;
		return keep_body(in, data, n) ? MHD_YES : MHD_NO;
	}
	request.method = strcmp(method, "HEAD") != 0 ? method : "GET";
	request.body = in->body ? in->body : "";
	request.body_len = in->len;
	return answer(ctx, connection, &request, in);
}

static void on_done(void *ctx, struct MHD_Connection *connection, void **state,
		    enum MHD_RequestTerminationCode why)
{
	struct incoming *in = *state;

	(void)ctx;
	(void)connection;
	(void)why;
	if (!in)
		return;
	/* A token may have come. */
	if (in->body)
		explicit_bzero(in->body, in->len);
	free(in->body);
	free(in);
	*state = NULL;
}

static void on_log(void *ctx, const char *format, va_list args)
{
	char text[256];

	(void)ctx;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	fl_debug("http: %s", text);
}

/* --- the loop -----------------------------------------------------------------------------------
 */

static int work(struct fl_http *http)
{
	MHD_UNSIGNED_LONG_LONG ms;
	int err;

	MHD_run(http->daemon);
	if (MHD_get_timeout(http->daemon, &ms) != MHD_YES)
		return sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
	err = sd_event_source_set_time_relative(http->timer, ms * 1000);
	return err < 0 ? err : sd_event_source_set_enabled(http->timer, SD_EVENT_ONESHOT);
}

static int on_ready(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	(void)source;
	(void)fd;
	(void)events;
	return work(ctx);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
	(void)source;
	(void)usec;
	return work(ctx);
}

static int attach(struct fl_http *http, sd_event *event)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int err;

	if (!info)
		return -ENOSYS;
	err = sd_event_add_io(event, &http->ready, info->epoll_fd, EPOLLIN, on_ready, http);
	if (err < 0)
		return err;
	err = sd_event_add_time_relative(event, &http->timer, CLOCK_MONOTONIC, 0, 100000, on_timer,
					 http);
	return err < 0 ? err : sd_event_source_set_time_accuracy(http->timer, 1000);
}

/* --- start and end ------------------------------------------------------------------------------
 */

static int read_pem(const char *path, char **ret_text, char words[FL_HTTP_WORDS_LEN])
{
	FILE *f = fopen(path, "re");
	char *text = f ? malloc(PEM_MAX + 1) : NULL;
	size_t len;
	int err = 0;

	if (!text) {
		err = -errno;
		snprintf(words, FL_HTTP_WORDS_LEN, "%s: %s", path, strerror(errno));
		if (f)
			fclose(f);
		return err;
	}
	len = fread(text, 1, PEM_MAX, f);
	text[len] = '\0';
	fclose(f);
	*ret_text = text;
	return 0;
}

static int check(const struct fl_http_cfg *cfg, const struct fl_http_socket *s,
		 char words[FL_HTTP_WORDS_LEN])
{
	const char *problem = NULL;
	int err = -EINVAL;

	if (!cfg->cert != !cfg->key)
		problem = "a certificate and its key go together";
	else if (cfg->token && strlen(cfg->token) < FL_HTTP_TOKEN_MIN)
		problem = "the token is shorter than 16 characters";
	else if (s->off_host && (!cfg->cert || !cfg->token)) {
		problem =
			"an address that others reach needs TLS (certificate and key) and a token";
		err = -EPERM;
	}
	if (!problem)
		return 0;
	snprintf(words, FL_HTTP_WORDS_LEN, "%s: %s", cfg->listen, problem);
	return err;
}

static int start(struct fl_http *http, const struct fl_http_cfg *cfg, char words[FL_HTTP_WORDS_LEN])
{
	char priorities[] = "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
	unsigned int per_host = http->socket.off_host ? PER_HOST_MAX : CONNECTIONS_MAX;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, http->cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, http->key },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, priorities },
		{ MHD_OPTION_END, 0, NULL },
	};
	unsigned int flags = MHD_USE_EPOLL | MHD_USE_ERROR_LOG;

	http->daemon = MHD_start_daemon(
		flags | (cfg->cert ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, http,
		MHD_OPTION_LISTEN_SOCKET, http->socket.fd, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		TIMEOUT_S, MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_host,
		MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_ARRAY, cfg->cert ? tls : &tls[3], MHD_OPTION_END);
	if (http->daemon)
		return 0;
	snprintf(words, FL_HTTP_WORDS_LEN, "%s: the HTTP server does not start%s", cfg->listen,
		 cfg->cert ? ": are certificate and key in PEM, and of each other?" : "");
	return -EINVAL;
}

/* Everything before the server itself; 0 or -errno. */
static int prepare(struct fl_http *http, const struct fl_http_cfg *cfg,
		   char words[FL_HTTP_WORDS_LEN])
{
	int err = fl_http_listen(cfg->listen, &http->socket, words);

	if (!err)
		err = check(cfg, &http->socket, words);
	if (!err && cfg->cert)
		err = read_pem(cfg->cert, &http->cert, words);
	if (!err && cfg->key)
		err = read_pem(cfg->key, &http->key, words);
	if (!err && cfg->open_path && !(http->open_path = strdup(cfg->open_path)))
		err = -ENOMEM;
	return err ? err : fl_http_guard_init(&http->guard, cfg);
}

int fl_http_new(sd_event *event, const struct fl_http_cfg *cfg, fl_http_fn fn, void *ctx,
		struct fl_http **ret_http, char words[FL_HTTP_WORDS_LEN])
{
	struct fl_http *http = calloc(1, sizeof(*http));
	int err;

	snprintf(words, FL_HTTP_WORDS_LEN, "out of memory");
	if (!http)
		return -ENOMEM;
	http->socket.fd = -1;
	http->fn = fn;
	http->ctx = ctx;
	err = prepare(http, cfg, words);
	if (!err)
		err = start(http, cfg, words);
	if (!err)
		err = attach(http, event);
	if (err < 0) {
		fl_http_free(http);
		return err;
	}
	*ret_http = http;
	return 0;
}

void fl_http_free(struct fl_http *http)
{
	if (!http)
		return;
	sd_event_source_disable_unref(http->ready);
	sd_event_source_disable_unref(http->timer);
	if (http->daemon)
		MHD_stop_daemon(http->daemon); /* closes the socket too */
	else if (http->socket.fd >= 0)
		close(http->socket.fd);
	if (http->socket.path[0])
		unlink(http->socket.path);
	fl_http_guard_done(&http->guard);
	if (http->key)
		explicit_bzero(http->key, strlen(http->key));
	free(http->key);
	free(http->cert);
	free(http->open_path);
	free(http);
}

unsigned int fl_http_port(const struct fl_http *http)
{
	return http->socket.port;
}
