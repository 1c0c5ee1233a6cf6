// SPDX-License-Identifier: Apache-2.0
/* Where the HTTP server listens: see http.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/insight/http_internal.h"

#define BACKLOG 64

/* A socket file that refuses is left over from a process that died. */
static bool is_left_over(const struct sockaddr_un *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool refused;

	if (fd < 0)
		return false;
	refused = connect(fd, (const struct sockaddr *)name, sizeof(*name)) < 0 &&
		  errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static int listen_unix(const char *path, struct fl_http_socket *s)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int err;

	if (path[0] != '/' || strlen(path) >= sizeof(name.sun_path))
		return -EINVAL;
	strcpy(name.sun_path, path);
	if (is_left_over(&name))
		unlink(path);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return -errno;
	if (bind(s->fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		goto fail;
	strcpy(s->path, path);
	if (chmod(path, 0660) < 0 || listen(s->fd, BACKLOG) < 0)
		goto fail;
	return 0;
fail:
	err = -errno;
	if (s->path[0])
		unlink(path);
	close(s->fd);
	return err;
}

/* "127.0.0.1:80", "[::1]:80" */
static int parse(const char *where, struct fl_http_socket *s)
{
	const char *colon = strrchr(where, ':');
	char host[FL_ADDR_TEXT];
	unsigned long port;
	size_t len;
	char *end;

	if (!colon || !colon[1])
		return -EINVAL;
	port = strtoul(colon + 1, &end, 10);
	if (*end || port > 65535 || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	len = (size_t)(colon - where);
	if (where[0] == '[' && len > 2 && where[len - 1] == ']') {
		where++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, where, len);
	host[len] = '\0';
	s->port = (uint16_t)port;
	return fl_addr_parse(host, &s->addr);
}

static bool is_loopback(const struct fl_addr *addr)
{
	static const uint8_t one[16] = { [15] = 1 };

	return addr->family == 4 ? addr->b[0] == 127 : !memcmp(addr->b, one, sizeof(one));
}

static socklen_t to_sockaddr(const struct fl_http_socket *s, struct sockaddr_storage *to)
{
	memset(to, 0, sizeof(*to));
	if (s->addr.family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)to;

		in->sin_family = AF_INET;
		in->sin_port = htons(s->port);
		memcpy(&in->sin_addr, s->addr.b, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(s->port);
	memcpy(&in6->sin6_addr, s->addr.b, 16);
	return sizeof(*in6);
}

/* Port 0 asks the kernel for one. */
static int learn_port(struct fl_http_socket *s)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	if (getsockname(s->fd, (struct sockaddr *)&name, &len) < 0)
		return -errno;
	s->port = ntohs(s->addr.family == 4 ? ((struct sockaddr_in *)&name)->sin_port
					    : ((struct sockaddr_in6 *)&name)->sin6_port);
	return 0;
}

static int listen_tcp(struct fl_http_socket *s)
{
	struct sockaddr_storage name;
	socklen_t len = to_sockaddr(s, &name);
	int one = 1, err = 0;

	s->fd = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return -errno;
	if (setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(s->fd, (struct sockaddr *)&name, len) < 0 || listen(s->fd, BACKLOG) < 0)
		err = -errno;
	if (!err)
		err = learn_port(s);
	if (err)
		close(s->fd);
	return err;
}

int fl_http_listen(const char *where, struct fl_http_socket *ret_socket,
		   char words[FL_HTTP_WORDS_LEN])
{
	struct fl_http_socket s = { .fd = -1 };
	int err;

	if (!strncmp(where, "unix:", 5)) {
		err = listen_unix(where + 5, &s);
	} else {
		err = parse(where, &s);
		if (!err) {
			s.off_host = !is_loopback(&s.addr);
			err = listen_tcp(&s);
		}
	}
	if (err) {
		snprintf(words, FL_HTTP_WORDS_LEN, "cannot listen on \"%s\": %s", where,
			 err == -EINVAL ? "expected unix:/PATH, ADDRESS:PORT or [ADDRESS]:PORT"
					: strerror(-err));
		return err;
	}
	*ret_socket = s;
	return 0;
}
