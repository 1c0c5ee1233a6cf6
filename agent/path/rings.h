/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keyrings of a configuration's security policies, by the policies' index. Shared by reference:
 * what still works by an older configuration keeps its rings. One thread at a time: whoever has a
 * thread of its own makes rings of its own.
 */
#ifndef FL_AGENT_PATH_RINGS_H
#define FL_AGENT_PATH_RINGS_H

#include "agent/config/config.h"
#include "agent/crypto/keyring.h"

#define FL_WHY_TEXT 512

struct fl_rings {
	size_t refs;
	size_t count;
	struct fl_keyring *ring[];
};

/**
 * fl_rings_new() - build all of them, with one reference
 * @why: on failure, which policy and what
 *
 * Return: 0; -EINVAL for key material that cannot be used; -E2BIG; -ENOMEM.
 */
int fl_rings_new(const struct fl_config *config, struct fl_rings **ret_rings,
		 char why[FL_WHY_TEXT]);

struct fl_rings *fl_rings_get(struct fl_rings *rings);
void fl_rings_put(struct fl_rings *rings); /* takes NULL */

/* The ring of a policy; NULL for FL_CFG_NONE. */
struct fl_keyring *fl_rings_at(const struct fl_rings *rings, int policy);

#endif
