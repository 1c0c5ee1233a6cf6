/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The web page of insightd: the HTTP server over the service's views, with the control socket's
 * commands behind its buttons and Zoom's webhooks on a path of their own. The loop's thread only.
 */
#ifndef FL_AGENT_INSIGHTD_PAGE_H
#define FL_AGENT_INSIGHTD_PAGE_H

#include "agent/insight/web.h"
#include "agent/insightd/control.h"

#define FL_PAGE_HOOK_PATH "/zoom/webhook"

struct fl_page {
	/* Set by the caller, borrowed. */
	struct fl_service *service;
	struct fl_control *control;
	const char *run_dir; /* a Unix socket without a folder is made here */

	struct fl_web web;
	struct fl_http *http; /* NULL: not served */
};

/**
 * fl_page_start() - serve the page as the configuration of the service says
 *
 * What went wrong was logged. Return: 0, also if no page is wanted; -errno.
 */
int fl_page_start(struct fl_page *page);
/* Takes one that is not served; may be started again. */
void fl_page_stop(struct fl_page *page);

#endif
