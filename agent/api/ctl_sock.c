// SPDX-License-Identifier: Apache-2.0
/* Control socket: see ctl_sock.h. A client that is slow waits for itself: nothing here blocks. */
#include "agent/api/ctl_sock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

#include "agent/base/log.h"

#define MAX_CLIENTS 32

struct client {
	struct fl_ctl_sock *sock;
	sd_event_source *source;
	int fd;
	char *in;
	size_t in_len;
	size_t in_room;
	char *out;
	size_t out_len;
	size_t out_done;
	struct client *prev, *next;
};

struct fl_ctl_sock {
	sd_event *event;
	sd_event_source *source;
	int fd;
	char *path;
	fl_ctl_fn fn;
	void *ctx;
	struct client *clients;
	unsigned int count;
};

void fl_ctl_error(struct fl_json *reply, enum fl_ctl_code code, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fl_json_add_bool(reply, "ok", false);
	fl_json_add_string(reply, "error", text);
	fl_json_add_i64(reply, "code", code);
}

static void client_free(struct client *c)
{
	DL_DELETE(c->sock->clients, c);
	c->sock->count--;
	sd_event_source_unref(c->source);
	close(c->fd);
	/* A configuration may have come, with keys in it. */
	if (c->in)
		explicit_bzero(c->in, c->in_len);
	free(c->in);
	free(c->out);
	free(c);
}

static void answer(struct client *c, size_t len)
{
	struct fl_json *request = NULL, *reply = fl_json_new_object();
	struct fl_json_error why;
	char *text;
	int err;

	err = fl_json_parse(c->in, len, &request, &why);
	if (err == -EBADMSG)
		fl_ctl_error(reply, FL_CTL_USAGE, "request is no JSON: %s", why.problem);
	else if (err < 0)
		fl_ctl_error(reply, FL_CTL_NO, "out of memory");
	else
		c->sock->fn(c->sock->ctx, request, reply);
	text = fl_json_print(reply, FL_JSON_COMPACT);
	fl_json_free(request);
	fl_json_free(reply);
	if (!text)
		text = strdup("{\"ok\":false,\"error\":\"out of memory\",\"code\":1}");
	if (!text)
		return;
	c->out_len = strlen(text);
	text[c->out_len++] = '\n'; /* in place of the NUL */
	c->out = text;
}

/* Read until a newline; returns false when the client is done with. */
static bool client_read(struct client *c)
{
	ssize_t n;
	char *end;

	if (c->in_len == c->in_room) {
		size_t room = c->in_room ? c->in_room * 2 : 4096;
		char *grown = room > FL_CTL_REQUEST_MAX ? NULL : realloc(c->in, room);

		if (!grown)
			return false;
		c->in = grown;
		c->in_room = room;
	}
	n = read(c->fd, c->in + c->in_len, c->in_room - c->in_len);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	end = memchr(c->in + c->in_len, '\n', (size_t)n);
	c->in_len += (size_t)n;
	if (end)
		answer(c, (size_t)(end - c->in));
	return !end || c->out;
}

static bool client_write(struct client *c)
{
	ssize_t n = send(c->fd, c->out + c->out_done, c->out_len - c->out_done, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->out_done += (size_t)n;
	return c->out_done < c->out_len;
}

static int on_client(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct client *c = userdata;
	bool more;

	(void)fd;
	(void)revents;
	more = c->out ? client_write(c) : client_read(c);
	if (more && c->out)
		more = client_write(c);
	if (!more)
		client_free(c);
	else
		sd_event_source_set_io_events(source, c->out ? EPOLLOUT : EPOLLIN);
	return 0;
}

/* When all places are taken, whoever has been sending a request for longest loses its place:
 * clients that only sit there keep nobody out. Return: is there a place now? */
static bool make_place(struct fl_ctl_sock *sock)
{
	struct client *c;

	if (sock->count < MAX_CLIENTS)
		return true;
	DL_FOREACH(sock->clients, c) {
		if (c->out)
			continue;
		client_free(c);
		return true;
	}
	return false;
}

static int on_connect(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct fl_ctl_sock *sock = userdata;
	struct client *c;
	int client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)revents;
	if (client_fd < 0)
		return 0;
	c = make_place(sock) ? calloc(1, sizeof(*c)) : NULL;
	if (!c) {
		close(client_fd);
		return 0;
	}
	c->sock = sock;
	c->fd = client_fd;
	DL_APPEND(sock->clients, c);
	sock->count++;
	if (sd_event_add_io(sock->event, &c->source, client_fd, EPOLLIN, on_client, c) < 0)
		client_free(c);
	return 0;
}

static int listen_on(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || chmod(path, 0660) < 0 ||
	    listen(fd, 16) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int fl_ctl_sock_new(sd_event *event, const char *path, fl_ctl_fn fn, void *ctx,
		    struct fl_ctl_sock **ret_sock)
{
	struct fl_ctl_sock *sock = calloc(1, sizeof(*sock));
	int err;

	if (!sock)
		return -ENOMEM;
	*sock = (struct fl_ctl_sock){ .event = event, .fd = -1, .fn = fn, .ctx = ctx };
	sock->path = strdup(path);
	err = sock->path ? listen_on(path) : -ENOMEM;
	if (err >= 0) {
		sock->fd = err;
		err = sd_event_add_io(event, &sock->source, sock->fd, EPOLLIN, on_connect, sock);
	}
	if (err < 0) {
		fl_ctl_sock_free(sock);
		return err;
	}
	*ret_sock = sock;
	return 0;
}

void fl_ctl_sock_free(struct fl_ctl_sock *sock)
{
	struct client *c, *tmp;

	if (!sock)
		return;
	DL_FOREACH_SAFE(sock->clients, c, tmp)
		client_free(c);
	sd_event_source_unref(sock->source);
	if (sock->fd >= 0) {
		close(sock->fd);
		unlink(sock->path);
	}
	free(sock->path);
	free(sock);
}
