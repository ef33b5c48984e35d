/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine descriptions, as strings: machines.S. */
#ifndef _MACHINES_H
#define _MACHINES_H

extern const char machine_dgx_a100[];
extern const char machine_epyc[];
extern const char machine_icelake[];
extern const char machine_offset[];
extern const char machine_skylake[];
extern const char machine_vmd[];
extern const char machine_workstation[];
extern const char machine_xeon_e5[];

#endif /* _MACHINES_H */
