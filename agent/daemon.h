/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fairleadd as a whole: its modules, what connects them (wiring.c), how a configuration comes into
 * use (reload.c). main.c makes and runs it.
 */
#ifndef FL_AGENT_DAEMON_H
#define FL_AGENT_DAEMON_H

#include <systemd/sd-event.h>

#include "agent/api/api.h"
#include "agent/bfd/io.h"
#include "agent/dp/dp.h"
#include "agent/export/export.h"
#include "agent/net/rtnl.h"
#include "agent/net/tx.h"
#include "agent/path/fabric.h"
#include "agent/path/fpm_watch.h"
#include "agent/session/engine.h"

struct options {
	const char *config;
	const char *instance;
	bool check;
	bool print;
	bool remove;
	bool debug;
};

struct daemon {
	struct options opt;
	char pin_dir[128];
	char run_dir[128];
	int lock_fd;
	struct fl_config *config;
	sd_event *event;
	struct fl_dp *dp;
	struct fl_rtnl *rtnl;
	struct fl_tx *tx;
	struct fl_fabric *fabric;
	struct fl_engine *engine;
	struct fl_export *export;
	struct fl_bfd_io *bfd;
	struct fl_fpm_watch *fpm;
	struct fl_ctl_sock *ctl;
	struct fl_api api;
	sd_event_source *tick;
	sd_event_source *punts[2]; /* new, live */
	sd_event_source *waiting;  /* packets that came while we were at work: not to sleep now */
	unsigned int budget;
	bool routes_changed;
	bool applying;    /* a configuration */
	bool addrs_known; /* own addresses have been read, and those of earlier processes forgotten
			   */
};

/* --- wiring.c: callbacks of the modules, whose ctx is the struct daemon ------------------------
 */
/* Send what waits to be sent. */
void fl_daemon_flush(struct daemon *d);

/* Once own addresses have been read: what an earlier process left of its is forgotten. */
void fl_daemon_sweep_addrs(struct daemon *d);

extern const struct fl_fabric_ops fl_daemon_fabric_ops;
extern const struct fl_fpm_watch_ops fl_daemon_fpm_ops;
extern const struct fl_rtnl_events fl_daemon_rtnl_events;

/* What the engine does to packets, for @d. */
struct fl_io fl_daemon_io(struct daemon *d);

/* What user packets say of a path, for choosing (fl_choice_set_fpm()). */
struct fl_quality fl_daemon_fpm_quality(void *ctx, uint16_t path, uint8_t proto);

/* Netlink, rings, clock: handlers of sd-event; userdata is the struct daemon. */
int fl_daemon_on_rtnl(sd_event_source *source, int fd, uint32_t revents, void *userdata);
int fl_daemon_on_ring(sd_event_source *source, int fd, uint32_t revents, void *userdata);
/* Packets that came while the loop was at work; before it sleeps, it looks whether there are any.
 */
int fl_daemon_on_waiting(sd_event_source *source, void *userdata);
int fl_daemon_before_sleep(sd_event_source *source, void *userdata);
int fl_daemon_on_tick(sd_event_source *source, uint64_t usec, void *userdata);

/* --- reload.c ----------------------------------------------------------------------------------
 */
void fl_daemon_log_findings(const struct fl_config_errors *errors);

/* Make @config the one in use. On failure the old one stays, and @config is the caller's still. */
int fl_daemon_use_config(struct daemon *d, struct fl_config *config, char why[FL_WHY_TEXT]);

/* `config apply` and SIGHUP. */
void fl_daemon_api_apply(void *ctx, const char *text, struct fl_json *reply);
int fl_daemon_on_hup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata);

#endif
