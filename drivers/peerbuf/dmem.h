/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_DMEM_H
#define _PEERBUF_DMEM_H

struct peerbuf_buffer;
struct peerbuf_provider;

int peerbuf_dmem_register(struct peerbuf_provider *provider);
void peerbuf_dmem_unregister(struct peerbuf_provider *provider);
int peerbuf_dmem_charge(struct peerbuf_buffer *buffer);
void peerbuf_dmem_uncharge(struct peerbuf_buffer *buffer);

#endif /* _PEERBUF_DMEM_H */
