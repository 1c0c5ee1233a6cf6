// SPDX-License-Identifier: Apache-2.0
/* Meeting ids in paths: see uuid.h. */
#include "agent/zoom/uuid.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

int fl_zoom_escape(const char *text, char *buf, size_t size)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || strchr("-._~", c)) {
			if (n + 1 >= size)
				return -ENOSPC;
			buf[n++] = (char)c;
			continue;
		}
		if (n + 3 >= size)
			return -ENOSPC;
		buf[n++] = '%';
		buf[n++] = hex[c >> 4];
		buf[n++] = hex[c & 15];
	}
	if (n >= size)
		return -ENOSPC;
	buf[n] = 0;
	return (int)n;
}

int fl_zoom_uuid_escape(const char *id, char *buf, size_t size)
{
	char once[512];
	int len;

	if (*id != '/' && !strstr(id, "//"))
		return fl_zoom_escape(id, buf, size);
	len = fl_zoom_escape(id, once, sizeof(once));
	return len < 0 ? len : fl_zoom_escape(once, buf, size);
}
