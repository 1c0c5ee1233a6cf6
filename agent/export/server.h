/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The export socket: whoever may open it (mode 0660) reads the queue's records as lines and says
 * how far they are safe. One reader at a time, because what one acknowledges is gone for others.
 */
#ifndef FL_AGENT_EXPORT_SERVER_H
#define FL_AGENT_EXPORT_SERVER_H

#include <systemd/sd-event.h>

#include "agent/export/queue.h"

struct fl_export_server;

/**
 * fl_export_server_new() - listen
 * @path:  an old socket there is replaced
 * @queue: borrowed
 *
 * Return: 0 or -errno.
 */
int fl_export_server_new(sd_event *event, const char *path, struct fl_queue *queue,
			 struct fl_export_server **ret_server);
void fl_export_server_free(struct fl_export_server *server); /* takes NULL */

/* What the next reader is told. */
void fl_export_server_name(struct fl_export_server *server, const char *site, const char *router);

/* There may be something new in the queue. */
void fl_export_server_kick(struct fl_export_server *server);

bool fl_export_server_has_reader(const struct fl_export_server *server);

#endif
