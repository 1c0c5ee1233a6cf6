// SPDX-License-Identifier: Apache-2.0
/* The export socket: see server.h. */
#include "agent/export/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/base/log.h"

/* Sent in one go of the loop: packets come first. */
#define CHUNK_BYTES (64 << 10)
#define ACK_BYTES   256

struct fl_export_server {
	sd_event *event;
	struct fl_queue *queue;
	char *path;
	int listen_fd;
	sd_event_source *listener;
	int fd; /* of the reader, -1: none */
	sd_event_source *reader;
	struct fl_export_hello hello;
	char out[CHUNK_BYTES];
	size_t out_len;
	size_t out_at;
	char in[ACK_BYTES];
	size_t in_len;
};

static void hang_up(struct fl_export_server *s)
{
	s->reader = sd_event_source_disable_unref(s->reader);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* Send as much as the reader takes; ask to be told when it takes more. */
static void pump(struct fl_export_server *s)
{
	if (s->out_at == s->out_len) {
		s->out_at = 0;
		s->out_len = fl_queue_read(s->queue, s->out, sizeof(s->out));
	}
	if (s->out_at < s->out_len) {
		ssize_t sent =
			send(s->fd, s->out + s->out_at, s->out_len - s->out_at, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN && errno != EINTR) {
			hang_up(s);
			return;
		}
		if (sent > 0)
			s->out_at += (size_t)sent;
	}
	sd_event_source_set_io_events(s->reader, EPOLLIN | (s->out_len ? EPOLLOUT : 0));
}

/* Return: false if the reader is gone, or talks nonsense. */
static bool read_acks(struct fl_export_server *s)
{
	ssize_t got = recv(s->fd, s->in + s->in_len, sizeof(s->in) - s->in_len, 0);
	char *line = s->in, *end;
	uint64_t seq;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got <= 0)
		return false;
	s->in_len += (size_t)got;
	while ((end = memchr(line, '\n', s->in_len - (size_t)(line - s->in)))) {
		if (fl_export_ack_decode(line, (size_t)(end - line), &seq) < 0)
			return false;
		fl_queue_ack(s->queue, seq);
		line = end + 1;
	}
	s->in_len -= (size_t)(line - s->in);
	memmove(s->in, line, s->in_len);
	return s->in_len < sizeof(s->in);
}

static int on_reader(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct fl_export_server *s = userdata;

	(void)source;
	(void)fd;
	if ((revents & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !read_acks(s)) {
		hang_up(s);
		return 0;
	}
	if (revents & EPOLLOUT)
		pump(s);
	return 0;
}

static int greet(struct fl_export_server *s)
{
	struct fl_queue_stats stats;
	int len, err;

	err = sd_event_add_io(s->event, &s->reader, s->fd, EPOLLIN | EPOLLOUT, on_reader, s);
	if (err < 0)
		return err;
	/* Records wait; packets do not. */
	sd_event_source_set_priority(s->reader, SD_EVENT_PRIORITY_NORMAL + 10);
	fl_queue_stats(s->queue, &stats);
	s->hello.version = FL_EXPORT_VERSION;
	s->hello.dropped = stats.dropped;
	len = fl_export_hello_encode(&s->hello, s->out, sizeof(s->out));
	if (len < 0)
		return len;
	s->out_len = (size_t)len;
	s->out_at = s->in_len = 0;
	fl_queue_rewind(s->queue);
	return 0;
}

/* Its end may not have been looked at yet: packets come first. */
static bool has_hung_up(const struct fl_export_server *s)
{
	char byte;

	return recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static int on_connection(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	static const char busy[] = "{\"error\":\"another reader is connected\"}\n";
	struct fl_export_server *s = userdata;
	int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)source;
	(void)revents;
	if (conn < 0)
		return 0;
	if (s->fd >= 0 && has_hung_up(s))
		hang_up(s);
	if (s->fd >= 0) {
		(void)!send(conn, busy, sizeof(busy) - 1, MSG_NOSIGNAL);
		close(conn);
		return 0;
	}
	s->fd = conn;
	if (greet(s) < 0)
		hang_up(s);
	return 0;
}

static int listen_at(const char *path, int *ret_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd, err = 0;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	mask = umask(0117);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 4) < 0)
		err = -errno;
	umask(mask);
	if (err)
		close(fd);
	else
		*ret_fd = fd;
	return err;
}

int fl_export_server_new(sd_event *event, const char *path, struct fl_queue *queue,
			 struct fl_export_server **ret_server)
{
	struct fl_export_server *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	if (!s)
		return -ENOMEM;
	s->event = event;
	s->queue = queue;
	s->listen_fd = s->fd = -1;
	s->path = strdup(path);
	if (s->path)
		err = listen_at(path, &s->listen_fd);
	if (!err)
		err = sd_event_add_io(event, &s->listener, s->listen_fd, EPOLLIN, on_connection, s);
	if (err < 0) {
		fl_export_server_free(s);
		return err;
	}
	*ret_server = s;
	return 0;
}

void fl_export_server_free(struct fl_export_server *server)
{
	if (!server)
		return;
	hang_up(server);
	sd_event_source_disable_unref(server->listener);
	if (server->listen_fd >= 0) {
		close(server->listen_fd);
		unlink(server->path);
	}
	free(server->path);
	free(server);
}

void fl_export_server_name(struct fl_export_server *server, const char *site, const char *router)
{
	snprintf(server->hello.site, sizeof(server->hello.site), "%s", site);
	snprintf(server->hello.router, sizeof(server->hello.router), "%s", router);
}

void fl_export_server_kick(struct fl_export_server *server)
{
	if (server->fd >= 0)
		sd_event_source_set_io_events(server->reader, EPOLLIN | EPOLLOUT);
}

bool fl_export_server_has_reader(const struct fl_export_server *server)
{
	return server->fd >= 0;
}
