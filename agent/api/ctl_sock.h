/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: a Unix stream socket on which a client writes one JSON object in one line and
 * reads one back. {"command": "show sessions", ...} is answered with {"ok": true, "data": ...} or
 * {"ok": false, "error": "...", "code": N}; the codes are the CLI's exit codes.
 */
#ifndef FL_AGENT_API_CTL_SOCK_H
#define FL_AGENT_API_CTL_SOCK_H

#include <systemd/sd-event.h>

#include "agent/base/exit_code.h"
#include "agent/codec/json.h"

#define FL_CTL_REQUEST_MAX (8 << 20) /* bytes: a configuration may come with it */

/* Answer a request by filling @reply, an empty object. */
typedef void (*fl_ctl_fn)(void *ctx, const struct fl_json *request, struct fl_json *reply);

struct fl_ctl_sock;

/**
 * fl_ctl_sock_new() - listen
 * @path: an old socket there is replaced; mode 0660
 *
 * Return: 0 or -errno.
 */
int fl_ctl_sock_new(sd_event *event, const char *path, fl_ctl_fn fn, void *ctx,
		    struct fl_ctl_sock **ret_sock);
void fl_ctl_sock_free(struct fl_ctl_sock *sock);

/* Make a reply say that something went wrong. */
void fl_ctl_error(struct fl_json *reply, enum fl_ctl_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
