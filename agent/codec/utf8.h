/* SPDX-License-Identifier: Apache-2.0 */
/* Is a string from outside text? Names on the wire and in files are UTF-8. */
#ifndef FL_AGENT_CODEC_UTF8_H
#define FL_AGENT_CODEC_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/**
 * fl_utf8_is_name() - well-formed UTF-8 without NUL
 *
 * Overlong forms, surrogates and code points above U+10FFFF are refused, so that two names that are
 * equal as text are equal as bytes.
 * Source: RFC 3629 section 4.
 */
bool fl_utf8_is_name(const char *s, size_t len);

#endif
