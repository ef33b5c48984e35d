/* SPDX-License-Identifier: GPL-2.0-only */
/* Internals of peerbuf_test. */
#ifndef _PEERBUF_TEST_H
#define _PEERBUF_TEST_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "peerbuf_test_uapi.h"

struct device;
struct dma_buf;
struct pci_dev;
struct sg_table;

/**
 * struct test_file - what one open file owns
 * @lock: serialises the calls on the file
 * @imports: &struct test_import by handle
 * @vmaps: &struct test_vmap by handle
 * @binds: &struct test_bind by handle
 * @forward: what mmap() maps, with a reference, or NULL. Set once, under @lock
 */
struct test_file {
	struct mutex lock; /* one call at a time */
	struct xarray imports;
	struct xarray vmaps;
	struct xarray binds;
	struct dma_buf *forward;
};

/* main.c */
struct pci_dev *test_get_function(const struct peerbuf_function *function);

/* importer.c */
int test_attach(struct test_file *file, void *arg);
int test_detach(struct test_file *file, void *arg);
int test_map(struct test_file *file, void *arg);
int test_unmap(struct test_file *file, void *arg);
int test_pin(struct test_file *file, void *arg);
int test_unpin(struct test_file *file, void *arg);
int test_map_info(struct test_file *file, void *arg);
void test_imports_release(struct test_file *file);

/* bind.c */
int test_bind(struct test_file *file, void *arg);
int test_unbind(struct test_file *file, void *arg);
int test_bound(struct test_file *file, void *arg);
void test_binds_release(struct test_file *file);

/* rdma.c */
struct test_umem;

struct test_umem *test_umem_get(struct device *dev, u64 offset, u64 length,
				int fd, bool revocable);
void test_umem_release(struct test_umem *umem);
void test_umem_describe(struct test_umem *umem,
			struct peerbuf_test_bound *bound);

/* vmap.c */
int test_vmap(struct test_file *file, void *arg);
int test_vunmap(struct test_file *file, void *arg);
int test_access(struct test_file *file, void *arg);
void test_vmaps_release(struct test_file *file);

/* wait.c */
int test_wait(struct test_file *file, void *arg);

/* fence.c */
int test_fence(struct test_file *file, void *arg);

/* oracle.c */
int test_oracle(struct test_file *file, void *arg);

/* segments.c */
#define TEST_MAX_SEGMENTS	4096

struct peerbuf_test_segment *test_segments_alloc(u32 nr);
int test_segments_fill(struct device *importer, struct sg_table *sgt,
		       struct peerbuf_test_segment *segments, u32 *nr);
int test_segments_finish(struct peerbuf_test_segment *segments, u64 user,
			 u32 nr, int ret);

/* cachemode.c */
int test_page(struct test_file *file, void *arg);

/* forward.c */
int test_forward(struct test_file *file, void *arg);
int test_mmap(struct file *filp, struct vm_area_struct *vma);
void test_forward_release(struct test_file *file);

/* stray.c */
int test_stray(struct test_file *file, void *arg);

/* pieces.c */
int test_pieces(struct test_file *file, void *arg);

#endif /* _PEERBUF_TEST_H */
