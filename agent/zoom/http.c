// SPDX-License-Identifier: Apache-2.0
/* HTTPS on the event loop: see http.h. */
#include "agent/zoom/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utlist.h>

#include "agent/base/monotime.h"
#include "agent/zoom/when.h"

#define HEADERS_MAX (64 << 10)
/* Of all transfers together: what a hostile server can make us hold. */
#define BODIES_MAX (64 << 20)

struct fl_zoom_transfer {
	struct fl_zoom_http *http;
	CURL *easy;
	struct curl_slist *headers;
	fl_zoom_http_fn fn;
	void *ctx;
	struct fl_zoom_answer answer;
	char problem[CURL_ERROR_SIZE];
	char *body;
	size_t room;
	size_t header_bytes;
	bool refused_address;
	bool too_large;
	struct fl_mono started;
	struct fl_zoom_transfer *prev, *next;
};

struct fl_zoom_http {
	sd_event *event;
	sd_event_source *timer;
	CURLM *multi;
	char *ca_file;
	bool allow_private;
	long connect_ms, total_ms;
	size_t body_max;
	size_t held; /* bytes of all bodies */
	struct fl_zoom_transfer *transfers;
};

/* --- what comes in ------------------------------------------------------------------------------
 */

static void keep(char *to, size_t size, const char *value, size_t len)
{
	while (len && (*value == ' ' || *value == '\t')) {
		value++;
		len--;
	}
	while (len && strchr(" \t\r\n", value[len - 1]))
		len--;
	snprintf(to, size, "%.*s", (int)len, value);
}

static size_t on_header(char *data, size_t one, size_t len, void *userdata)
{
	struct fl_zoom_transfer *t = userdata;
	struct fl_zoom_answer *a = &t->answer;
	const char *colon = memchr(data, ':', len);
	char date[48] = "";
	const struct {
		const char *name;
		char *to;
		size_t size;
	} wanted[] = {
		{ "content-type", a->content_type, sizeof(a->content_type) },
		{ "x-ratelimit-type", a->rate_type, sizeof(a->rate_type) },
		{ "x-ratelimit-category", a->rate_category, sizeof(a->rate_category) },
		{ "retry-after", a->retry_after, sizeof(a->retry_after) },
		{ "date", date, sizeof(date) },
	};

	(void)one;
	t->header_bytes += len;
	if (t->header_bytes > HEADERS_MAX) {
		t->too_large = true;
		return 0;
	}
	for (size_t i = 0; colon && i < sizeof(wanted) / sizeof(*wanted); i++) {
		size_t name = (size_t)(colon - data);

		if (strlen(wanted[i].name) == name && !strncasecmp(data, wanted[i].name, name))
			keep(wanted[i].to, wanted[i].size, colon + 1, len - name - 1);
	}
	if (*date)
		a->date_s = fl_zoom_when_header(date, 0);
	return len;
}

static size_t on_body(char *data, size_t one, size_t len, void *userdata)
{
	struct fl_zoom_transfer *t = userdata;
	size_t need = t->answer.len + len;

	(void)one;
	if (need > t->http->body_max || t->http->held + len > BODIES_MAX) {
		t->too_large = true;
		return 0;
	}
	if (need > t->room) {
		size_t room = t->room ? t->room * 2 : 16384;
		char *grown;

		while (room < need)
			room *= 2;
		grown = realloc(t->body, room);
		if (!grown)
			return 0;
		t->body = grown;
		t->room = room;
	}
	memcpy(t->body + t->answer.len, data, len);
	t->answer.len = need;
	t->http->held += len;
	return len;
}

/* Names are resolved by then, so that no name can lead inside. */
static curl_socket_t on_open(void *userdata, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct fl_zoom_transfer *t = userdata;
	struct fl_addr addr = { 0 };

	(void)purpose;
	if (to->family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, &to->addr, sizeof(in));
		addr = fl_addr_from(4, (const uint8_t *)&in.sin_addr);
	} else if (to->family == AF_INET6) {
		const struct sockaddr *sa = &to->addr;
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		addr = fl_addr_from(6, (const uint8_t *)&in6.sin6_addr);
	}
	if (!t->http->allow_private && !fl_zoom_http_is_public(&addr)) {
		t->refused_address = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* --- the loop -----------------------------------------------------------------------------------
 */

static void transfer_free(struct fl_zoom_transfer *t)
{
	struct fl_zoom_http *http = t->http;

	DL_DELETE(http->transfers, t);
	http->held -= t->answer.len;
	curl_multi_remove_handle(http->multi, t->easy);
	curl_easy_cleanup(t->easy);
	for (struct curl_slist *h = t->headers; h; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(t->headers);
	/* Tokens come in bodies, too. */
	if (t->body)
		explicit_bzero(t->body, t->answer.len < 65536 ? t->answer.len : 65536);
	free(t->body);
	free(t);
}

static int error_of(const struct fl_zoom_transfer *t, CURLcode code)
{
	if (t->too_large)
		return -EMSGSIZE;
	if (t->refused_address)
		return -EACCES;
	switch ((int)code) {
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return -EHOSTUNREACH;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		return -EKEYREJECTED;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

static void finish(struct fl_zoom_transfer *t, CURLcode code)
{
	struct fl_zoom_answer *a = &t->answer;
	fl_zoom_http_fn fn = t->fn;
	void *ctx = t->ctx;

	a->elapsed_ms = (uint32_t)fl_mono_ms_between(t->started, fl_mono_now());
	if (code == CURLE_OK) {
		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &a->status);
		a->body = t->body ? t->body : "";
	} else {
		a->err = error_of(t, code);
		if (t->too_large)
			snprintf(a->why, sizeof(a->why), "the answer is too large");
		else if (t->refused_address)
			snprintf(a->why, sizeof(a->why),
				 "the name leads to an address that is not on the Internet");
		else
			snprintf(a->why, sizeof(a->why), "%.150s",
				 *t->problem ? t->problem : curl_easy_strerror(code));
	}
	fn(ctx, a);
	transfer_free(t);
}

static void reap(struct fl_zoom_http *http)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(http->multi, &left))) {
		struct fl_zoom_transfer *t = NULL;
		CURLcode code = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		finish(t, code);
	}
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct fl_zoom_http *http = userdata;
	int running, what = 0;

	(void)source;
	if (revents & (EPOLLIN | EPOLLHUP))
		what |= CURL_CSELECT_IN;
	if (revents & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (revents & EPOLLERR)
		what |= CURL_CSELECT_ERR;
	curl_multi_socket_action(http->multi, fd, what, &running);
	reap(http);
	return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socketp)
{
	struct fl_zoom_http *http = userdata;
	sd_event_source *source = socketp;
	uint32_t events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		sd_event_source_disable_unref(source);
		curl_multi_assign(http->multi, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	if (source)
		return sd_event_source_set_io_events(source, events) < 0 ? -1 : 0;
	if (sd_event_add_io(http->event, &source, fd, events, on_io, http) < 0)
		return -1;
	curl_multi_assign(http->multi, fd, source);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct fl_zoom_http *http = userdata;
	int running;

	(void)source;
	(void)usec;
	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	reap(http);
	return 0;
}

static int on_timeout(CURLM *multi, long ms, void *userdata)
{
	struct fl_zoom_http *http = userdata;

	(void)multi;
	if (ms < 0)
		return sd_event_source_set_enabled(http->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
	if (sd_event_source_set_time_relative(http->timer, (uint64_t)ms * 1000) < 0)
		return -1;
	return sd_event_source_set_enabled(http->timer, SD_EVENT_ONESHOT) < 0 ? -1 : 0;
}

int fl_zoom_http_new(sd_event *event, const struct fl_zoom_http_cfg *cfg,
		     struct fl_zoom_http **ret_http)
{
	static bool initialised;
	struct fl_zoom_http *http;
	int err;

	if (!initialised && curl_global_init(CURL_GLOBAL_DEFAULT))
		return -ENOMEM;
	initialised = true;
	http = calloc(1, sizeof(*http));
	if (!http)
		return -ENOMEM;
	http->event = sd_event_ref(event);
	http->allow_private = cfg->allow_private;
	http->connect_ms = cfg->connect_ms ? (long)cfg->connect_ms : 10000;
	http->total_ms = cfg->total_ms ? (long)cfg->total_ms : 60000;
	http->body_max = cfg->body_max ? cfg->body_max : FL_ZOOM_BODY_MAX;
	http->ca_file = cfg->ca_file ? strdup(cfg->ca_file) : NULL;
	http->multi = curl_multi_init();
	err = http->multi && (http->ca_file || !cfg->ca_file) ? 0 : -ENOMEM;
	if (!err)
		err = sd_event_add_time(event, &http->timer, CLOCK_MONOTONIC, 0, 0, on_timer, http);
	if (err < 0) {
		fl_zoom_http_free(http);
		return err;
	}
	sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, 8L);
	*ret_http = http;
	return 0;
}

void fl_zoom_http_free(struct fl_zoom_http *http)
{
	struct fl_zoom_transfer *t, *tmp;

	if (!http)
		return;
	DL_FOREACH_SAFE(http->transfers, t, tmp)
		transfer_free(t);
	if (http->multi)
		curl_multi_cleanup(http->multi);
	sd_event_source_disable_unref(http->timer);
	sd_event_unref(http->event);
	free(http->ca_file);
	free(http);
}

/* --- requests -----------------------------------------------------------------------------------
 */

static bool add_header(struct fl_zoom_transfer *t, const char *name, const char *value)
{
	size_t size = strlen(name) + strlen(value) + 1;
	char *line = malloc(size);
	struct curl_slist *grown;

	if (!line)
		return false;
	snprintf(line, size, "%s%s", name, value);
	grown = curl_slist_append(t->headers, line);
	explicit_bzero(line, size);
	free(line);
	if (grown)
		t->headers = grown;
	return grown;
}

/* What holds for every request. */
static void set_options(struct fl_zoom_transfer *t)
{
	struct fl_zoom_http *http = t->http;

	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->problem);
	curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(t->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (http->ca_file) {
		curl_easy_setopt(t->easy, CURLOPT_CAINFO, http->ca_file);
		curl_easy_setopt(t->easy, CURLOPT_CAPATH, NULL);
	}
	curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "fairlead-insightd");
	curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, http->connect_ms);
	curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, http->total_ms);
	curl_easy_setopt(t->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t);
}

static int set_request(struct fl_zoom_transfer *t, const struct fl_zoom_http_request *request)
{
	bool good = add_header(t, "Accept: ", "application/json");

	if (request->bearer)
		good = good && add_header(t, "Authorization: Bearer ", request->bearer);
	if (request->basic)
		good = good && add_header(t, "Authorization: Basic ", request->basic);
	if (!good || curl_easy_setopt(t->easy, CURLOPT_URL, request->url) ||
	    (request->form && curl_easy_setopt(t->easy, CURLOPT_COPYPOSTFIELDS, request->form)))
		return -ENOMEM;
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	return 0;
}

int fl_zoom_http_send(struct fl_zoom_http *http, const struct fl_zoom_http_request *request,
		      fl_zoom_http_fn fn, void *ctx, struct fl_zoom_transfer **ret_transfer)
{
	struct fl_zoom_transfer *t;
	int err;

	if (strncmp(request->url, "https://", 8) != 0)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->http = http;
	t->fn = fn;
	t->ctx = ctx;
	t->started = fl_mono_now();
	DL_APPEND(http->transfers, t);
	t->easy = curl_easy_init();
	err = t->easy ? 0 : -ENOMEM;
	if (!err) {
		set_options(t);
		err = set_request(t, request);
	}
	if (!err && curl_multi_add_handle(http->multi, t->easy))
		err = -ENOMEM;
	if (err) {
		transfer_free(t);
		return err;
	}
	if (ret_transfer)
		*ret_transfer = t;
	return 0;
}

void fl_zoom_http_cancel(struct fl_zoom_transfer *transfer)
{
	if (transfer)
		transfer_free(transfer);
}
