/* SPDX-License-Identifier: Apache-2.0 */
/* What zoom.c and link.c share. */
#ifndef FL_AGENT_ZOOM_ZOOM_INTERNAL_H
#define FL_AGENT_ZOOM_ZOOM_INTERNAL_H

#include "agent/zoom/account.h"
#include "agent/zoom/zoom.h"

struct fl_vault;
struct linking;
struct revoking;

struct fl_zoom {
	struct fl_zoom_env env;
	char *dir;
	struct fl_vault *vault;
	struct fl_zoom_pendings pendings;
	struct fl_zoom_account *accounts[FL_ZOOM_ACCOUNTS_MAX];
	size_t count;
	struct linking *linkings;   /* requests of links under way */
	struct revoking *revokings; /* and of tokens that are given back */
	struct fl_zoom_hooks hooks;
	char hook_secret[256];
	sd_event_source *elect_soon;
	sd_event_source *elect_later; /* after an error of the sink's */
	struct fl_mono hold_until;    /* nobody polls before */
};

/* zoom.c: a record that is on disk is at work from now on. */
int zoom_adopt(struct fl_zoom *zoom, const struct fl_zoom_record *record);
struct fl_zoom_account *zoom_find_record(struct fl_zoom *zoom, const char *id);

/* link.c */
void zoom_linkings_stop(struct fl_zoom *zoom);
/* Give tokens back: best effort, three tries (zoom-api.md 9). */
void zoom_revoke(struct fl_zoom *zoom, const struct fl_zoom_record *record);

#endif
