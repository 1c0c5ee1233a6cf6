/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A linked account at work: keeps its token fresh, asks what the poller wants asked, and gives the
 * answers back. The loop's thread only.
 */
#ifndef FL_AGENT_ZOOM_ACCOUNT_H
#define FL_AGENT_ZOOM_ACCOUNT_H

#include <systemd/sd-event.h>

#include "agent/zoom/http.h"
#include "agent/zoom/poller.h"
#include "agent/zoom/record.h"

struct fl_zoom_account;

/* What all accounts share; borrowed. */
struct fl_zoom_env {
	sd_event *event;
	struct fl_zoom_http *http;
	const struct fl_vault *vault;
	const char *dir; /* of the records */
	const struct fl_zoom_sink *sink;
	struct fl_zoom_settings settings; /* what no link says */
	/* Something that the status shows, or who polls, changed. */
	void (*changed)(void *ctx, struct fl_zoom_account *account);
	void *ctx;
};

/* @record is copied; it must be on disk already. */
int fl_zoom_account_new(const struct fl_zoom_env *env, const struct fl_zoom_record *record,
			struct fl_zoom_account **ret_account);
/* What is under way is cancelled; takes NULL. */
void fl_zoom_account_free(struct fl_zoom_account *account);

struct fl_zoom_record *fl_zoom_account_record(struct fl_zoom_account *account);

/* Poll, or only keep the token alive: of several credentials of one Zoom account one polls. */
int fl_zoom_account_poll(struct fl_zoom_account *account, bool poll);
bool fl_zoom_account_is_failed(const struct fl_zoom_account *account);

/* New tokens, a new link: what the record says now counts. The record is on disk already. */
int fl_zoom_account_renew(struct fl_zoom_account *account, const struct fl_zoom_record *record);

void fl_zoom_account_sync(struct fl_zoom_account *account);
void fl_zoom_account_ended(struct fl_zoom_account *account, const struct fl_zoom_meeting *meeting);

/* NULL unless it polls. */
struct fl_zoom_poller *fl_zoom_account_poller(struct fl_zoom_account *account);
/* What is wrong with its tokens; "" if nothing is. */
const char *fl_zoom_account_trouble(const struct fl_zoom_account *account);

/* As fl_zoom_settings, with what the links say: the strictest of them. */
struct fl_zoom_settings fl_zoom_account_settings(const struct fl_zoom_settings *base,
						 const struct fl_zoom_record *record);

#endif
