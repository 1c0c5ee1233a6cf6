// SPDX-License-Identifier: Apache-2.0
/* What an answer means: see answer.h. */
#include "agent/zoom/answer.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static enum fl_zoom_verdict by_300(const struct fl_zoom_page *page)
{
	if (strcasestr(page->message, "page token"))
		return FL_ZOOM_STALE_PAGE;
	if (strcasestr(page->message, "webinar"))
		return FL_ZOOM_WEBINAR;
	return FL_ZOOM_WRONG;
}

static enum fl_zoom_verdict by_429(const struct fl_zoom_answer *answer,
				   const struct fl_zoom_page *page)
{
	/* Any header may be missing: the words say it too. */
	if (strcasestr(answer->rate_type, "daily") || strcasestr(page->message, "daily"))
		return FL_ZOOM_TOMORROW;
	return FL_ZOOM_SLOWER;
}

/* By the code in the body, whatever the status: which of the two Zoom uses differs (14). */
static enum fl_zoom_verdict by_code(const struct fl_zoom_answer *answer,
				    const struct fl_zoom_page *page)
{
	switch (page->code) {
	case 124:
		return FL_ZOOM_REFRESH;
	case 4700:
	case 4711:
		return FL_ZOOM_SCOPE;
	case 200:
	case 400:
		return FL_ZOOM_PLAN;
	case 300:
		return by_300(page);
	case 429:
		return by_429(answer, page);
	case 1001:
		return FL_ZOOM_NO_USER;
	case 3001:
		return FL_ZOOM_NOT_READY;
	case 12700:
		return FL_ZOOM_NO_END_TIME;
	case 12702:
		return FL_ZOOM_TOO_OLD;
	case 2300:
		return FL_ZOOM_DENIED;
	default:
		break;
	}
	if (answer->status == 401)
		return FL_ZOOM_REFRESH;
	if (answer->status == 404)
		return FL_ZOOM_NOT_READY;
	return answer->status == 400 ? FL_ZOOM_WRONG : FL_ZOOM_DENIED;
}

enum fl_zoom_verdict fl_zoom_judge(const struct fl_zoom_answer *answer,
				   struct fl_zoom_page *ret_page)
{
	bool json = strcasestr(answer->content_type, "json") || !*answer->content_type;
	int err;

	*ret_page = (struct fl_zoom_page){ 0 };
	if (answer->err || answer->status >= 500 || (answer->status >= 300 && answer->status < 400))
		return FL_ZOOM_AGAIN;
	/* Errors are short: a long answer is read once, by whoever wants its records. */
	if (answer->status == 200 && json && answer->len > 4096)
		return FL_ZOOM_FINE;
	err = json ? fl_zoom_parse_page(answer->body, answer->len, ret_page) : -1;
	if (answer->status == 429)
		return by_429(answer, ret_page);
	if (answer->status >= 400 && !ret_page->code) {
		if (answer->status == 401)
			return FL_ZOOM_REFRESH;
		if (answer->status == 403)
			return FL_ZOOM_DENIED;
		return answer->status == 404 ? FL_ZOOM_NOT_READY : FL_ZOOM_WRONG;
	}
	if (err && !(ret_page->code && *ret_page->message))
		return FL_ZOOM_AGAIN;
	if (answer->status >= 400 || err)
		return by_code(answer, ret_page);
	return FL_ZOOM_FINE;
}

void fl_zoom_answer_words(const struct fl_zoom_answer *answer, const struct fl_zoom_page *page,
			  char *buf, size_t size)
{
	if (answer->err)
		snprintf(buf, size, "%s", *answer->why ? answer->why : strerror(-answer->err));
	else if (page->code)
		snprintf(buf, size, "HTTP %ld, code %lld: %.120s", answer->status,
			 (long long)page->code, page->message);
	else if (answer->status >= 300 && answer->status < 400)
		snprintf(buf, size, "HTTP %ld, a redirect, which is not followed", answer->status);
	else if (answer->status >= 400)
		snprintf(buf, size, "HTTP %ld", answer->status);
	else
		snprintf(buf, size, "the answer is no JSON of the expected shape");
}
