// SPDX-License-Identifier: Apache-2.0
/* The start of a daemon: see process.h. */
#include "agent/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/base/log.h"

int fl_process_lock(const char *path, const char *who, int *ret_fd)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), err;

	if (fd < 0) {
		err = -errno;
		fl_log_err(err, "cannot open %s", path);
		return err;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		fl_error("another %s (it holds %s)", who, path);
		close(fd);
		return -EBUSY;
	}
	*ret_fd = fd;
	return 0;
}

int fl_process_signals(sd_event *event, sd_event_signal_handler_t on_hup, void *ctx)
{
	sigset_t signals;
	int err;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	err = sd_event_add_signal(event, NULL, SIGHUP, on_hup, ctx);
	if (err >= 0)
		err = sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
	if (err >= 0)
		err = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
	return err < 0 ? err : 0;
}
