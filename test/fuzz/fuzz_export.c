// SPDX-License-Identifier: Apache-2.0
/* Lines of the export: what is taken can be written, and is the same when it is read again. */
#include <errno.h>

#include "agent/codec/export.h"
#include "test/fuzz/fuzz.h"

static void again(const struct fl_export_record *record, uint64_t seq)
{
	char first[FL_EXPORT_LINE_MAX], second[FL_EXPORT_LINE_MAX];
	struct fl_export_record back;
	uint64_t seq_back;
	int len = fl_export_encode(record, seq, first, sizeof(first));

	/* Names may be all quotes or control characters, which take two to six times the room. */
	if (len == -ENOSPC)
		return;
	MUST(len > 1 && first[len - 1] == '\n');
	MUST(!memchr(first, '\n', (size_t)len - 1));
	MUST(!fl_export_decode(first, (size_t)len - 1, &back, &seq_back));
	MUST(seq_back == seq && back.type == record->type);
	MUST(fl_export_encode(&back, seq, second, sizeof(second)) == len);
	MUST(!memcmp(first, second, (size_t)len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *line = (const char *)data;
	struct fl_export_record record;
	struct fl_export_hello hello;
	uint64_t seq;
	int err = fl_export_decode(line, len, &record, &seq);

	MUST(!err || err == -EBADMSG);
	if (!err) {
		MUST(seq);
		again(&record, seq);
	}
	err = fl_export_hello_decode(line, len, &hello);
	MUST(!err || err == -EBADMSG);
	if (!err)
		MUST(strnlen(hello.site, FL_EXPORT_SITE_LEN) < FL_EXPORT_SITE_LEN);
	err = fl_export_ack_decode(line, len, &seq);
	MUST(!err || err == -EBADMSG);
	return 0;
}
