/* SPDX-License-Identifier: Apache-2.0 */
/* One question to the agent, one answer (agent/api/ctl_sock.h has the other end). */
#ifndef FL_AGENT_CLI_CLIENT_H
#define FL_AGENT_CLI_CLIENT_H

#include "agent/base/exit_code.h"
#include "agent/codec/json.h"

#define FL_CLIENT_PATH 108 /* as sockaddr_un */

/* Whom the process talks to, for what is said of it: "fairleadd" unless set. Borrowed. */
void fl_client_set_daemon(const char *name);

/* Socket of the instance, "" for the one without a name. */
void fl_client_socket(const char *instance, char path[FL_CLIENT_PATH]);

/**
 * fl_client_ask() - send a request, wait for the answer
 * @request:   borrowed
 * @ret_reply: whole answer, for the caller to free; also when it is a negative one
 *
 * What goes wrong is said on stderr. Return: FL_CTL_OK, or the exit code.
 */
int fl_client_ask(const char *path, const struct fl_json *request, struct fl_json **ret_reply);

#endif
