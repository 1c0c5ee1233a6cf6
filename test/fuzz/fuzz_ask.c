// SPDX-License-Identifier: Apache-2.0
/* Questions in words: whatever is typed is answered by a sane request, or by what is wrong with it.
 */
#include <errno.h>

#include "agent/insight/ask.h"
#include "test/fuzz/fuzz.h"

#define NOW 1722452400LL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct fl_zone zones[] = { { "" }, { "America/New_York" } };
	char *text = malloc(len + 1);
	struct fl_ask_error why;
	struct fl_ask ask;
	int err;

	MUST(text);
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	err = fl_ask_parse(text, &zones[len % 2], NOW, &ask, &why);
	MUST(err == 0 || err == -EINVAL);
	if (err) {
		MUST(why.problem[0]);
		MUST(why.column <= FL_ASK_MAX);
	} else {
		MUST(ask.from_s < ask.to_s);
		MUST(ask.page > 0);
		MUST(strnlen(ask.host, FL_ASK_NAME_LEN) < FL_ASK_NAME_LEN);
		MUST(ask.kind != FL_ASK_TROUBLESHOOT || ask.host[0]);
	}
	free(text);
	return 0;
}
