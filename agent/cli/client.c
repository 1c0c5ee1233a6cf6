// SPDX-License-Identifier: Apache-2.0
/* Client of the control socket: see client.h. */
#include "agent/cli/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX  (64 << 20) /* ample: sessions come in pages */
#define REQUEST_MAX (8 << 20)  /* what the agent takes: FL_CTL_REQUEST_MAX */
#define WAIT_S      30

static const char *daemon_name = "fairleadd";

void fl_client_set_daemon(const char *name)
{
	daemon_name = name;
}

void fl_client_socket(const char *instance, char path[FL_CLIENT_PATH])
{
	snprintf(path, FL_CLIENT_PATH, "/run/fairlead%s%s/fairleadd.sock", instance[0] ? "/" : "",
		 instance);
}

static int complain(const char *path, int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
		fprintf(stderr,
			"fairlead: no permission for %s: run as root (sudo), or as a member of the "
			"group that %s runs as\n",
			path, daemon_name);
		return FL_CTL_PERMISSION;
	case ENOENT:
	case ECONNREFUSED:
		fprintf(stderr,
			"fairlead: %s does not run (nothing answers at %s): "
			"`systemctl start %s`, or %s for another one\n",
			daemon_name, path, daemon_name,
			strcmp(daemon_name, "fairleadd") ? "-s PATH" : "-i INSTANCE");
		return FL_CTL_UNREACHABLE;
	case EMSGSIZE:
		fprintf(stderr, "fairlead: that is more than the agent takes: %d bytes\n",
			REQUEST_MAX);
		return FL_CTL_USAGE;
	default:
		fprintf(stderr, "fairlead: %s: %s\n", path, strerror(err));
		return FL_CTL_UNREACHABLE;
	}
}

static int dial(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval wait = { .tv_sec = WAIT_S };
	int fd, err;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static int send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Up to the newline that ends an answer. */
static int receive_line(int fd, char **ret_text, size_t *ret_len)
{
	size_t len = 0, room = 65536;
	char *text = malloc(room), *grown;

	while (text) {
		ssize_t n = recv(fd, text + len, room - len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || len + (size_t)n > ANSWER_MAX) {
			int err = n < 0 ? -errno : n ? -EFBIG : -ECONNRESET;

			free(text);
			return err == -EAGAIN ? -ETIMEDOUT : err;
		}
		len += (size_t)n;
		if (text[len - 1] == '\n') {
			*ret_text = text;
			*ret_len = len - 1;
			return 0;
		}
		if (len == room) {
			room *= 2;
			grown = realloc(text, room);
			if (!grown)
				free(text);
			text = grown;
		}
	}
	return -ENOMEM;
}

static int exchange(int fd, const struct fl_json *request, struct fl_json **ret_reply)
{
	char *out = fl_json_print(request, FL_JSON_COMPACT), *in = NULL;
	struct fl_json_error why;
	size_t len = 0;
	int err;

	if (!out)
		return -ENOMEM;
	err = strlen(out) < REQUEST_MAX ? send_all(fd, out, strlen(out)) : -EMSGSIZE;
	if (!err)
		err = send_all(fd, "\n", 1);
	/* A configuration has keys in it. */
	explicit_bzero(out, strlen(out));
	free(out);
	if (!err)
		err = receive_line(fd, &in, &len);
	if (!err)
		err = fl_json_parse(in, len, ret_reply, &why);
	free(in);
	return err;
}

int fl_client_ask(const char *path, const struct fl_json *request, struct fl_json **ret_reply)
{
	int64_t code = FL_CTL_NO;
	const char *error;
	int fd = dial(path), err;

	*ret_reply = NULL;
	if (fd < 0)
		return complain(path, -fd);
	err = exchange(fd, request, ret_reply);
	close(fd);
	if (err < 0)
		return complain(path, -err);
	if (fl_json_get_bool(fl_json_member(*ret_reply, "ok")))
		return FL_CTL_OK;
	error = fl_json_get_string(fl_json_member(*ret_reply, "error"));
	fprintf(stderr, "fairlead: %s\n", error ? error : "the agent gave no reason");
	fl_json_get_i64(fl_json_member(*ret_reply, "code"), &code);
	return (int)code;
}
