/* SPDX-License-Identifier: Apache-2.0 */
/* uthash, with a hash function that both compilers take: the default one falls through cases. */
#ifndef FL_AGENT_BASE_HASH_H
#define FL_AGENT_BASE_HASH_H

#define HASH_FUNCTION(key, len, hash) HASH_SFH(key, len, hash)
#include <uthash.h>

#endif
