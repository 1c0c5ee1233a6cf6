/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What insightd answers on its control socket (agent/api/ctl_sock.h): one function for each
 * command. README.md of this folder lists commands, members of requests and of answers.
 */
#ifndef FL_AGENT_INSIGHTD_CONTROL_H
#define FL_AGENT_INSIGHTD_CONTROL_H

#include "agent/api/ctl_sock.h"
#include "agent/insightd/service.h"

#define FL_LINKINGS 16 /* links under way, and those whose end somebody may still ask for */

/* One link on its way, or its end. */
struct fl_linking {
	uint64_t id;             /* 0: free */
	unsigned int generation; /* of the service */
	bool done, linked;
	char words[FL_ZOOM_WORDS_LEN];
	char account[FL_ZOOM_KEY_LEN];
};

struct fl_control {
	struct fl_service *service;
	const char *version;
	struct fl_linking linkings[FL_LINKINGS];
	uint64_t next_linking;
};

/* A fl_ctl_fn; @ctx is a struct fl_control. */
void fl_control_answer(void *ctx, const struct fl_json *request, struct fl_json *reply);

/* --- between its files --------------------------------------------------------------------------
 */

struct fl_request {
	struct fl_control *control;
	struct fl_service *service;
	const struct fl_json *json;
	struct fl_json *reply;
	struct fl_json *data; /* "data" of the reply */
	int64_t now_s;
};

/* Member of the request, "" if it is not there. */
const char *fl_request_text(const struct fl_request *r, const char *key);
/* The same, @otherwise. */
int64_t fl_request_number(const struct fl_request *r, const char *key, int64_t otherwise);
/* "from" and "to", else the last day. */
struct fl_view_span fl_request_span(const struct fl_request *r);
/* The request fails, with a sentence that says what can be done. */
void fl_request_fail(struct fl_request *r, enum fl_ctl_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for the error of a view or of the store. */
void fl_request_fail_err(struct fl_request *r, int err, const char *what);
/* "org", else the configuration's. */
const char *fl_request_org(const struct fl_request *r);

/* control_link.c */
void fl_control_link(struct fl_request *r);
void fl_control_link_back(struct fl_request *r);
void fl_control_link_result(struct fl_request *r);
void fl_control_unlink(struct fl_request *r);
void fl_control_sync(struct fl_request *r);

/* control_view.c */
void fl_control_accounts(struct fl_request *r);
void fl_control_status(struct fl_request *r);
void fl_control_sites(struct fl_request *r);
void fl_control_calls(struct fl_request *r);
void fl_control_clients(struct fl_request *r);
void fl_control_client(struct fl_request *r);
void fl_control_insights(struct fl_request *r);
void fl_control_rank(struct fl_request *r);
void fl_control_events(struct fl_request *r);
void fl_control_checklist(struct fl_request *r);
void fl_control_ask(struct fl_request *r);

#endif
