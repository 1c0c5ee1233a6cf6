/* SPDX-License-Identifier: Apache-2.0 */
/* What both daemons do at their start: one of a kind at a time, and signals by the event loop. */
#ifndef FL_AGENT_BASE_PROCESS_H
#define FL_AGENT_BASE_PROCESS_H

#include <systemd/sd-event.h>

/**
 * fl_process_lock() - be the only one
 * @path: file that is made if it is not there, and held as long as the process lives
 * @who:  for the message, if another one holds it
 *
 * Return: 0; -EBUSY; -errno. What went wrong was logged.
 */
int fl_process_lock(const char *path, const char *who, int *ret_fd);

/**
 * fl_process_signals() - SIGHUP calls @on_hup, SIGINT and SIGTERM end the loop
 *
 * They are blocked for this thread and for those that it starts later. Return: 0 or -errno.
 */
int fl_process_signals(sd_event *event, sd_event_signal_handler_t on_hup, void *ctx);

#endif
