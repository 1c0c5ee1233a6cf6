/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Version of everything pinned in bpffs: map layouts, struct layouts, meaning of fields. A change
 * to any of them raises it. The pin directory carries it, so that an old agent's maps are never
 * reinterpreted by a new one.
 */
#ifndef FL_COMMON_ABI_VERSION_H
#define FL_COMMON_ABI_VERSION_H

#define FL_ABI_VERSION 3

#endif
