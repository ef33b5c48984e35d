/* SPDX-License-Identifier: MIT */
/* The importers of the demo: QEMU's edu DMA engines, behind peerbuf_edu. */
#ifndef DEMO_ENGINE_H
#define DEMO_ENGINE_H

#include <stdatomic.h>
#include <libpeerbuf.h>
#include <linux/peerbuf_edu.h>

#define MAX_ENGINES 2
#define PAGE PEERBUF_EDU_BUFFER_SIZE

/**
 * struct engine - one of them
 * @function: its address
 * @fd: its node
 * @source: handle of the import that it reads
 * @destination: handle of the import that it writes
 * @dmas: transfers that it has completed
 */
struct engine {
	struct peerbuf_function function;
	int fd;
	__u32 source;
	__u32 destination;
	unsigned int dmas;
};

/**
 * struct transfer - pages to move from source to destination, by all engines
 * @engines: who works
 * @nr_engines: how many: number i takes every nr_engines-th page from page i on
 * @pages: how many
 * @destination: where the first page goes in the destination buffer
 * @done: pages moved so far
 * @err: of the first engine that failed, which stops them all; or 0
 */
struct transfer {
	struct engine *engines;
	unsigned int nr_engines;
	unsigned int pages;
	__u64 destination;
	atomic_uint done;
	atomic_int err;
};

int engines_find(struct engine engines[MAX_ENGINES]);
int engine_open(struct engine *engine);
int engine_import(struct engine *engine, int dmabuf, __u32 *handle);
int engine_read(struct engine *engine, __u64 offset);
int engine_write(struct engine *engine, __u64 offset);
int engine_address(struct engine *engine, __u32 handle, __u64 offset, __u64 *address);
long engine_interrupts(const struct engine *engine);
int transfer_run(struct transfer *transfer, void (*progress)(const struct transfer *));

#endif /* DEMO_ENGINE_H */
